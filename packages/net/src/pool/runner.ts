import type { FromWorker, ToWorker } from './messages.ts'

/** What a thread or process lets its pool know. */
export interface RunnerEvents {
  message(message: FromWorker): void
  /** The last event: how it ended, as in "exit code 1", and the error if the platform knows one. */
  ended(how: string, error: unknown): void
}

/** A thread or process that runs one worker. */
export interface Runner {
  /** As people look for it: `thread 3`, `process 4711`. */
  readonly name: string
  send(message: ToWorker): void
  /** Gives it a descriptor of its own for a shared socket, if it was not born with it. */
  lend(shared: number): void
  /** Ends it at once. */
  kill(): void
}

/** Starts one. `shared`: the descriptors of the sockets that all workers accept on or receive at. */
export type Launch = (shared: readonly number[], events: RunnerEvents) => Runner

/** A module of this folder: `.ts` where the sources run as they are, `.js` where they were compiled. */
export function entrance(name: 'serving-thread' | 'serving-process'): URL {
  return new URL(`./${name}${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url)
}

/** What was said to Node about this program alone, and not about how modules are found and run. */
const OWN = /^--(?:input-type|test|watch|inspect|check)\b/
const CODE = /^(?:-e|--eval|-p|--print|-pe)$/
/** What a thread may be given of its own: Node refuses it the options of the whole process, which it shares anyway. */
const OF_THREAD = /^(?:-C|--conditions|-r|--require|--import|--enable-source-maps)\b/

/** The options of Node that a child process inherits. */
export function optionsOfProcess(all: readonly string[] = process.execArgv): string[] {
  return all.filter((option, at) => !OWN.test(option) && !CODE.test(option) && !CODE.test(all[at - 1] ?? ''))
}

/** Those that a thread is given; undefined where it inherits them as they are. */
export function optionsOfThread(all: readonly string[] = process.execArgv): string[] | undefined {
  if (!all.some((option) => option.startsWith('--input-type'))) return undefined // the one that a file cannot be run with
  return all.filter((option, at) => OF_THREAD.test(option) || /^(?:-C|-r|--conditions|--require|--import)$/.test(all[at - 1] ?? ''))
}
