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

/** Starts one. `shared`: the descriptors of the sockets that all workers accept on. */
export type Launch = (shared: readonly number[], events: RunnerEvents) => Runner

/** A module of this folder: `.ts` where the sources run as they are, `.js` where they were compiled. */
export function entrance(name: 'serving-thread' | 'serving-process'): URL {
  return new URL(`./${name}${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url)
}

/** What was said to Node about this program alone, and not about how modules are found and run. */
const OWN = /^--(?:input-type|test|watch|inspect|check)\b/
const OWN_WITH_CODE = /^(?:-e|--eval|-p|--print|-pe)$/

/** The options of Node that a thread or process inherits: conditions, loaders, memory. */
export function inheritedOptions(all: readonly string[] = process.execArgv): string[] {
  return all.filter((option, at) => !OWN.test(option) && !OWN_WITH_CODE.test(option) && !OWN_WITH_CODE.test(all[at - 1] ?? ''))
}
