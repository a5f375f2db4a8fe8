import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { LoadResult, LoadSettings } from './load.ts'

/** What a run may take beyond its own time. */
const PATIENCE_MS = 20_000

/** The load generator's process. */
export class Generator {
  readonly #child: ChildProcess = fork(fileURLToPath(new URL('./load.ts', import.meta.url)))

  /** Connects, tells that the load begins, and has it run. */
  async run(settings: LoadSettings, begins: () => Promise<void>): Promise<LoadResult> {
    this.#child.send(settings)
    await this.#said(settings.ms)
    await begins()
    this.#child.send('go')
    return (await this.#said(settings.ms)) as LoadResult
  }

  async #said(ms: number): Promise<unknown> {
    const over = new AbortController()
    const signal = AbortSignal.any([over.signal, AbortSignal.timeout(ms + PATIENCE_MS)])
    try {
      const ended = once(this.#child, 'exit', { signal }).then(() => {
        throw new Error('the load generator has ended')
      })
      return (await Promise.race([once(this.#child, 'message', { signal }), ended]))[0]
    } finally {
      over.abort()
    }
  }

  stop(): void {
    this.#child.disconnect()
  }
}
