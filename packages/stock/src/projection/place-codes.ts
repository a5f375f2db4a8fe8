import { VIRTUAL_PLACES } from '../ledger/index.ts'

const VIRTUAL: ReadonlySet<string> = new Set(VIRTUAL_PLACES)
const TRANSIT = 'transit:'

/** Whether a code in the tables is a location's: not one of the places on the other side of a movement. */
export function isLocation(code: string): boolean {
  return !VIRTUAL.has(code) && !code.startsWith(TRANSIT)
}

/** The transfer whose place a code is; undefined when it is none's. */
export function transferOf(code: string): string | undefined {
  return code.startsWith(TRANSIT) ? code.slice(TRANSIT.length) : undefined
}
