const TRANSIT = 'transit:'

/** The transfer whose place a code is; undefined when it is none's. */
export function transferOf(code: string): string | undefined {
  return code.startsWith(TRANSIT) ? code.slice(TRANSIT.length) : undefined
}
