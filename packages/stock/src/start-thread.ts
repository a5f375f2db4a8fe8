import { Worker } from 'node:worker_threads'

/** A module beside the one that asks: `.ts` where the sources run as they are, `.js` where they were compiled. */
function moduleBeside(from: string, name: string): URL {
  return new URL(`./${name}${from.endsWith('.ts') ? '.ts' : '.js'}`, from)
}

/** Room for a thread's new objects. By default it grows to three times as much, and stays there: the threads beside the main one hardly keep any. */
const YOUNG_MEGABYTES = 16

/** A thread that has said its first word. */
export interface StartedThread<Reply> {
  readonly worker: Worker
  readonly first: Reply
}

/**
 * Starts a thread from the module `name` beside `from` (an `import.meta.url`), and waits for its first message: whether it could begin.
 * Rejects when it dies before that.
 */
export function startThread<Reply>(from: string, name: string, workerData: unknown): Promise<StartedThread<Reply>> {
  return new Promise((resolve, reject) => {
    const resourceLimits = { maxYoungGenerationSizeMb: YOUNG_MEGABYTES }
    const worker = new Worker(moduleBeside(from, name), { workerData, name, resourceLimits })
    const ended = (code: number): void => reject(new Error(`the thread ${name} ended with code ${code}`))
    worker.once('error', reject)
    worker.once('exit', ended)
    worker.once('message', (first: Reply) => {
      worker.off('error', reject)
      worker.off('exit', ended)
      resolve({ worker, first })
    })
  })
}
