import { StockError } from '../errors.ts'

/** Checks one value; throws StockError `bad_field` that names the path and what is allowed. */
export type Check = (value: unknown, path: string) => void

/** The fields that an object may have, each with its check. Without a prototype, so that `__proto__` is an unknown field like any other. */
export type Fields = Readonly<Record<string, Check>>

/** A table of fields. */
export function fields(table: Record<string, Check>): Fields {
  return Object.assign(Object.create(null), table)
}

/** Control characters and halves of surrogate pairs: no name of a thing has them, and not every store keeps them. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what it looks for
const UNFIT = /[\u0000-\u001f\u007f]|\p{Surrogate}/u

/** Text of 1 to `most` characters. */
export function text(most: number, least = 1): Check {
  const allowed = `text of ${least} to ${most} characters without control characters`
  return (value, path) => {
    if (typeof value !== 'string' || value.length > most || value.length < least || UNFIT.test(value)) throw wrong(path, allowed, value)
  }
}

/** Text of a given form. */
export function form(pattern: RegExp, allowed: string): Check {
  return (value, path) => {
    if (typeof value !== 'string' || !pattern.test(value)) throw wrong(path, allowed, value)
  }
}

/** A whole number from `least` to `most`. */
export function whole(least: number, most: number = Number.MAX_SAFE_INTEGER): Check {
  const allowed = `a whole number from ${least}${most === Number.MAX_SAFE_INTEGER ? '' : ` to ${most}`}`
  return (value, path) => {
    if (!Number.isSafeInteger(value) || (value as number) < least || (value as number) > most) throw wrong(path, allowed, value)
  }
}

/** Any JSON number. Literals such as 1e999 read as Infinity, which no later rule can weigh. */
export const number: Check = (value, path) => {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw wrong(path, 'a number', value)
}

/** A number from `least` to `most`. */
export function within(least: number, most: number): Check {
  const allowed = `a number from ${least} to ${most}`
  return (value, path) => {
    if (typeof value !== 'number' || !(value >= least && value <= most)) throw wrong(path, allowed, value)
  }
}

/** true or false. */
export const flag: Check = (value, path) => {
  if (typeof value !== 'boolean') throw wrong(path, 'true or false', value)
}

/** One of some words. */
export function oneOf(...words: readonly string[]): Check {
  return (value, path) => {
    if (typeof value !== 'string' || !words.includes(value)) throw wrong(path, words.map((word) => `"${word}"`).join(' or '), value)
  }
}

/** An array of `least` to `most` elements that each pass. */
export function list(element: Check, least: number, most: number): Check {
  return (value, path) => {
    if (!Array.isArray(value)) throw wrong(path, 'an array', value)
    if (value.length < least || value.length > most) {
      const [words, bound] = value.length < least ? ['at least', least] : ['at most', most]
      throw new StockError(
        'bad_field',
        `${path} must have ${words} ${bound} ${bound === 1 ? 'element' : 'elements'}, it has ${value.length}`,
        { field: path },
      )
    }
    for (let index = 0; index < value.length; index++) element(value[index], `${path}[${index}]`)
  }
}

/** An object with these fields; those in `required` must be there. */
export function object(table: Fields, required: readonly string[]): Check {
  return (value, path) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(path, 'an object', value)
    checkFields(value as Record<string, unknown>, table, required, path)
  }
}

/** Checks every field of an object against a table. */
export function checkFields(value: Record<string, unknown>, table: Fields, required: readonly string[], path: string): void {
  for (const key in value) {
    const check = table[key]
    if (check === undefined) throw unknownField(key, table, path)
    check(value[key], path === '' ? key : `${path}.${key}`)
  }
  for (const key of required) {
    if (value[key] === undefined) {
      const field = path === '' ? key : `${path}.${key}`
      throw new StockError('bad_field', `${field} is missing`, { field })
    }
  }
}

function unknownField(key: string, table: Fields, path: string): StockError {
  const shown = shorten(key)
  const field = path === '' ? shown : `${path}.${shown}`
  return new StockError('bad_field', `${field} is no field here; allowed: ${Object.keys(table).join(', ')}`, { field })
}

function wrong(field: string, allowed: string, value: unknown): StockError {
  return new StockError('bad_field', `${field} must be ${allowed}, not ${describe(value)}`, { field })
}

/** A value for an error text: short whatever it is, and never walked into. */
function describe(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'object') return 'an object'
  if (typeof value === 'string') return value === '' ? 'empty text' : `"${shorten(value)}"`
  return String(value)
}

function shorten(text: string): string {
  const head = text.length > 40 ? `${text.slice(0, 40)}…` : text
  return JSON.stringify(head).slice(1, -1)
}
