import { LIMITS } from '../limits.ts'

/** An object that somebody wrote by hand, read key by key: what is wrong is said with the way to the key. */
export class Table {
  readonly #path: string
  readonly #values: Readonly<Record<string, unknown>>

  /**
   * @param known - the keys there may be; without it any
   * @throws TypeError when it is no object or has a key that is not known
   */
  constructor(path: string, value: unknown, known?: readonly string[]) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TypeError(`${path}: must be a table`)
    this.#path = path
    this.#values = value as Record<string, unknown>
    const names = this.names()
    if (names.length > LIMITS.commandEntriesMax) throw new TypeError(`${path}: has more than ${LIMITS.commandEntriesMax} entries`)
    const strange = names.find((name) => known?.includes(name) === false)
    if (strange !== undefined) throw this.wrong(strange, `is not known; known: ${known?.join(', ')}`)
  }

  names(): string[] {
    return Object.keys(this.#values)
  }

  has(key: string): boolean {
    return Object.hasOwn(this.#values, key) && this.#values[key] !== undefined
  }

  wrong(key: string, why: string): TypeError {
    return new TypeError(`${this.#path}.${key}: ${why}`)
  }

  text(key: string): string | undefined {
    return this.#read(key, 'a text', isText)
  }

  texts(key: string): readonly string[] | undefined {
    return this.#read(key, 'a list of texts', (value): value is string[] => Array.isArray(value) && value.every(isText))
  }

  flag(key: string): boolean | undefined {
    return this.#read(key, 'true or false', (value): value is boolean => typeof value === 'boolean')
  }

  /** A whole number from 1 to what a timer can wait. */
  number(key: string): number | undefined {
    const most = 2_147_483_647
    const fits = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 1 && Number(value) <= most
    return this.#read(key, `a whole number from 1 to ${most}`, fits)
  }

  choice<Choice extends string>(key: string, choices: readonly Choice[]): Choice | undefined {
    return this.#read(key, choices.join(' or '), (value): value is Choice => choices.includes(value as Choice))
  }

  table(key: string, known?: readonly string[]): Table {
    return new Table(`${this.#path}.${key}`, this.#values[key], known)
  }

  tables(key: string, known: readonly string[]): Table[] | undefined {
    const most = LIMITS.commandEntriesMax
    const fits = (value: unknown): value is unknown[] => Array.isArray(value) && value.length <= most
    const list = this.#read(key, `a list of up to ${most} tables`, fits)
    return list?.map((value, at) => new Table(`${this.#path}.${key}[${at}]`, value, known))
  }

  #read<Value>(key: string, what: string, fits: (value: unknown) => value is Value): Value | undefined {
    if (!this.has(key)) return undefined
    const value = this.#values[key]
    if (!fits(value)) throw this.wrong(key, `must be ${what}`)
    return value
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && !value.includes('\0')
}
