import { LIMITS } from '../limits.ts'
import { wholeMatch } from './pattern.ts'
import { Table } from './table.ts'

/** One argument that a peer may give. Exactly one of `pattern` and `oneOf`. */
export interface CommandArgument {
  /** A regular expression (with the flag `v`) that the whole argument must match, in `LIMITS.commandPatternMs`. */
  readonly pattern?: string
  /** The texts that are allowed. */
  readonly oneOf?: readonly string[]
  /** May be left out, with all behind it. Default false. */
  readonly optional?: boolean
  /** May begin with a dash, so that the program takes it for an option. Default false. */
  readonly dash?: boolean
}

/** What stands behind a name that a peer may say. */
export interface CommandEntry {
  /** The program and its fixed arguments. No shell reads them. */
  readonly run: readonly string[]
  /** What may follow the name, in this order. Default: nothing. */
  readonly arguments?: readonly CommandArgument[]
  /** Where it runs. Default: where the server does. */
  readonly folder?: string
  /** Its environment, added to a clean one (`PATH`, `LC_ALL`): nothing of the server's own gets in. */
  readonly environment?: Readonly<Record<string, string>>
  /** Default `LIMITS.commandMs`. */
  readonly timeoutMs?: number
  /** Default `LIMITS.commandOutputBytesMax`. */
  readonly outputBytesMax?: number
  /** What it says on its second output: `send`, the default, mixed with the first as it comes; or `drop`. */
  readonly errors?: 'send' | 'drop'
  /**
   * What becomes of it when the client ends its direction while it runs: `finish`, the default, or `kill`. A client that pipes its commands in
   * (`printf 'disk\n' | nc -N …`) has ended and waits for the output; one that has closed its socket looks the same over TCP, until
   * something is sent to it. So `kill` is for commands that run long in silence and that nobody pipes in.
   */
  readonly whenClientEnds?: 'finish' | 'kill'
}

/** Names and what they run. Plain data: it can come from a file, or go to a thread. */
export type CommandEntries = Readonly<Record<string, CommandEntry>>

/** What runs when nothing else is configured: looks at the machine, and takes no arguments. */
export const DEFAULT_COMMANDS: CommandEntries = {
  date: { run: ['date'] },
  disk: { run: ['df', '-h'] },
  system: { run: ['uname', '-a'] },
  uptime: { run: ['uptime'] },
}

/** The environment that a command starts with. */
export const CLEAN_ENVIRONMENT: Readonly<Record<string, string>> = {
  PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin',
  LC_ALL: 'C.UTF-8',
}

/** What is to be run, in full. */
export interface Task {
  readonly program: string
  readonly args: readonly string[]
  readonly folder: string | undefined
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly timeoutMs: number
  readonly outputBytesMax: number
  readonly errors: 'send' | 'drop'
  readonly whenClientEnds: 'finish' | 'kill'
}

interface Slot {
  readonly fits: (text: string) => boolean
  readonly optional: boolean
}

/** The commands of a server, checked and ready. */
export class CommandList {
  readonly #tasks = new Map<string, { readonly task: Task; readonly slots: readonly Slot[] }>()

  /** @throws TypeError that names the key, for what is not {@link CommandEntries} */
  constructor(entries: unknown) {
    const table = new Table('commands', entries)
    for (const name of table.names()) {
      if (!/^[^\s\p{Cc}]{1,64}$/v.test(name) || name === 'BYE') throw table.wrong(name, 'is no name: one word of up to 64 letters, not BYE')
      const entry = table.table(name, [
        'run',
        'arguments',
        'folder',
        'environment',
        'timeoutMs',
        'outputBytesMax',
        'errors',
        'whenClientEnds',
      ])
      this.#tasks.set(name, { task: readTask(entry), slots: readSlots(entry) })
    }
    if (this.#tasks.size === 0) throw new TypeError('commands: there is none')
  }

  /** What a line asks for, or a line that says why it cannot be had. Words are what stands between spaces and tabs; there are no quotes. */
  find(line: string): Task | string {
    const [name = '', ...given] = line.trim().split(/[ \t]+/)
    const found = this.#tasks.get(name)
    if (found === undefined) return `unknown command ${JSON.stringify(name)}; known: ${[...this.#tasks.keys()].join(', ')}`
    const { task, slots } = found
    const least = slots.filter((slot) => !slot.optional).length
    if (given.length < least || given.length > slots.length) {
      const wanted = least === slots.length ? String(least) : `${least} to ${slots.length}`
      return `${name}: takes ${wanted} ${wanted === '1' ? 'argument' : 'arguments'}, not ${given.length}`
    }
    const bad = given.findIndex((text, at) => !slots[at]?.fits(text))
    if (bad >= 0) return `${name}: argument ${bad + 1} is not allowed: ${JSON.stringify(given[bad])}`
    return { ...task, args: [...task.args, ...given] }
  }
}

function readTask(entry: Table): Task {
  const [program, ...args] = entry.texts('run') ?? []
  if (program === undefined || program === '') throw entry.wrong('run', 'must name a program')
  const environment = entry.has('environment') ? entry.table('environment') : undefined
  const own = environment?.names().map((name) => [name, environment.text(name) ?? ''] as const) ?? []
  return {
    program,
    args,
    folder: entry.text('folder'),
    environment: { ...CLEAN_ENVIRONMENT, ...Object.fromEntries(own) },
    timeoutMs: entry.number('timeoutMs') ?? LIMITS.commandMs,
    outputBytesMax: entry.number('outputBytesMax') ?? LIMITS.commandOutputBytesMax,
    errors: entry.choice('errors', ['send', 'drop']) ?? 'send',
    whenClientEnds: entry.choice('whenClientEnds', ['finish', 'kill']) ?? 'finish',
  }
}

function readSlots(entry: Table): Slot[] {
  const slots = (entry.tables('arguments', ['pattern', 'oneOf', 'optional', 'dash']) ?? []).map(readSlot)
  const late = slots.findIndex((slot, at) => !slot.optional && slots[at - 1]?.optional === true)
  if (late >= 0) throw entry.wrong('arguments', `argument ${late + 1} must be optional, because the one before it is`)
  return slots
}

function readSlot(argument: Table): Slot {
  const pattern = argument.text('pattern')
  const oneOf = argument.texts('oneOf')
  if ((pattern === undefined) === (oneOf === undefined)) throw argument.wrong('pattern', 'exactly one of pattern and oneOf must be given')
  const allowed = pattern === undefined ? (text: string): boolean => oneOf?.includes(text) === true : compiled(pattern, argument)
  const dash = argument.flag('dash') ?? false
  return {
    optional: argument.flag('optional') ?? false,
    fits: (text) => (dash || !text.startsWith('-')) && !/\p{Cc}/u.test(text) && allowed(text),
  }
}

function compiled(pattern: string, argument: Table): (text: string) => boolean {
  const most = LIMITS.commandEntriesMax
  if (pattern.length > most) throw argument.wrong('pattern', `must be at most ${most} letters`)
  try {
    return wholeMatch(pattern)
  } catch (error) {
    throw argument.wrong('pattern', `is no regular expression: ${(error as Error).message}`)
  }
}
