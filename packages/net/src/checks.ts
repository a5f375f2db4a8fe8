import type { Service } from './service.ts'

/**
 * What the compiler says in TypeScript, and nobody would in JavaScript until the first peer comes.
 *
 * @throws TypeError that names what is wrong and what is allowed
 */
export function checkService(value: unknown, what: string): asserts value is Service<unknown> {
  if (!isObject(value)) throw new TypeError(`${what} is no service; a service has a name, a framing and a function message`)
  const { name, framing, message } = value
  if (typeof name !== 'string') throw new TypeError(`${what} is no service: its name must be a text, not ${typeof name}`)
  checkFraming(framing, `${what}, ${name},`)
  if (typeof message !== 'function') throw new TypeError(`${what}, ${name}, has no function message`)
  for (const hook of HOOKS) {
    if (value[hook] !== undefined && typeof value[hook] !== 'function') throw new TypeError(`${what}, ${name}: ${hook} must be a function`)
  }
}

/** @throws TypeError when it is none, with a hint where it was not called */
export function checkFraming(value: unknown, what: string): void {
  if (typeof value === 'function') throw new TypeError(`${what} has a function for a framing; it must be called, as in lines()`)
  if (isObject(value) && typeof value.decoder === 'function' && typeof value.encode === 'function') return
  throw new TypeError(`${what} needs a framing, such as lines()`)
}

/** A name that is not known would be an option that is not heeded. @throws TypeError that names it */
export function checkNames(value: unknown, what: string, known: Readonly<Record<string, true>>): void {
  if (!isObject(value)) throw new TypeError(`${what} are an object, not ${value === null ? 'null' : typeof value}`)
  const unknown = Object.keys(value).find((name) => !Object.hasOwn(known, name))
  if (unknown !== undefined) throw new TypeError(`${what} have no ${unknown}; they are ${Object.keys(known).join(', ')}`)
}

const HOOKS = ['opened', 'ended', 'farewell', 'closed'] as const

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
