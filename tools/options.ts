import { parseArgs } from 'node:util'

/** One option of a script: what `--help` says of it, and how what was given is read. */
export interface Option<T> {
  readonly type: 'boolean' | 'string'
  readonly multiple: boolean
  /** What stands behind its name in `--help`. */
  readonly value: string
  readonly says: string
  /** @throws Error that says what is allowed */
  read(given: readonly (string | boolean)[]): T
}

/** An option that is there or not. */
export function flag(says: string): Option<boolean> {
  return { type: 'boolean', multiple: false, value: '', says, read: (given) => given.length > 0 }
}

/** A number from `min` on. */
export function number(says: string, standard: number, { min = 0, whole = true }: { min?: number; whole?: boolean } = {}): Option<number> {
  const read = ([given]: readonly (string | boolean)[]): number => {
    const value = given === undefined ? standard : given === '' ? Number.NaN : Number(given)
    if (value >= min && Number.isFinite(value) && (!whole || Number.isSafeInteger(value))) return value
    throw new Error(`is a ${whole ? 'whole ' : ''}number from ${min} on, not '${given}'`)
  }
  return { type: 'string', multiple: false, value: ' N', says: `${says} (default: ${standard})`, read }
}

/** A path. */
export function path(says: string): Option<string | undefined> {
  return { type: 'string', multiple: false, value: ' PATH', says, read: ([given]) => given as string | undefined }
}

/** Some of these words, one each time that the option is given; all of them where it is not. */
export function choices<const T extends string>(says: string, among: readonly T[]): Option<readonly T[]> {
  const isOne = (given: unknown): given is T => among.includes(given as T)
  const read = (given: readonly (string | boolean)[]): readonly T[] => {
    const wrong = given.find((each) => !isOne(each))
    if (wrong !== undefined) throw new Error(`is one of ${among.join(', ')}, not '${wrong}'`)
    return given.length === 0 ? among : given.filter(isOne)
  }
  return { type: 'string', multiple: true, value: ' NAME', says: `${says}: ${among.join(', ')}`, read }
}

type Values<T> = { readonly [K in keyof T]: T[K] extends Option<infer V> ? V : never }

/**
 * The options that a script of this repository was started with. `--help` says which there are, and ends it; a wrong one ends it with one line
 * on stderr and exit code 2.
 *
 * @param command - how it is started
 * @param about - what it does, in a sentence
 */
export function optionsOf<T extends Readonly<Record<string, Option<unknown>>>>(command: string, about: string, options: T): Values<T> {
  try {
    const config = Object.fromEntries(Object.entries(options).map(([name, { type }]) => [name, { type, multiple: true as const }]))
    const { help: isAsked, ...values } = parseArgs({ options: { ...config, help: { type: 'boolean' } } }).values as {
      readonly help?: boolean
      readonly [name: string]: unknown
    }
    if (isAsked === true) {
      process.stdout.write(help(command, about, options))
      process.exit(0)
    }
    return Object.fromEntries(
      Object.entries(options).map(([name, option]) => {
        const given = (values[name] ?? []) as (string | boolean)[]
        if (given.length > 1 && !option.multiple) throw new Error(`--${name} can be given once`)
        try {
          return [name, option.read(given)]
        } catch (error) {
          throw new Error(`--${name} ${(error as Error).message}`)
        }
      }),
    ) as Values<T>
  } catch (error) {
    process.stderr.write(`${(error as Error).message}; --help says what there is\n`)
    process.exit(2)
  }
}

function help(command: string, about: string, options: Readonly<Record<string, Option<unknown>>>): string {
  const rows = Object.entries(options).map(([name, { value, says }]) => [`--${name}${value}`, says] as const)
  const width = Math.max(...rows.map(([name]) => name.length))
  return `Usage: ${command} [options]\n\n${about}\n\n${rows.map(([name, says]) => `  ${name.padEnd(width)}  ${says}\n`).join('')}`
}
