import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { LoadResult, LoadSettings } from './load-settings.ts'

/** A server that has not acknowledged everything by then never will. */
const RUN_MS = 1_200_000

/** A load that is connected and encoded, and waits for its start. */
export class Load implements AsyncDisposable {
  readonly #worker: Worker

  private constructor(worker: Worker) {
    this.#worker = worker
  }

  static async prepare(settings: LoadSettings): Promise<Load> {
    const worker = new Worker(new URL('./load-thread.ts', import.meta.url), { workerData: settings })
    await once(worker, 'message')
    return new Load(worker)
  }

  /** Runs it; its connections stay until it is disposed of. */
  async run(): Promise<LoadResult> {
    this.#worker.postMessage('go')
    return (await once(this.#worker, 'message', { signal: AbortSignal.timeout(RUN_MS) }))[0]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate()
  }
}
