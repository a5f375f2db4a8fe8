import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

/** How a server came to listen. Times in milliseconds. */
export interface Opened {
  readonly endpoint: string
  /** From opening its folder until it listened. */
  readonly openMs: number
  /** Where there was something to recover: the look over the log, loading and replaying, and when both were through. */
  readonly recovered: { readonly checkMs: number; readonly ms: number; readonly replayed: number; readonly afterMs: number } | undefined
}

/** A server in a process of its own, which can be killed. */
export class ChildShop implements AsyncDisposable {
  readonly opened: Opened
  readonly #process: ChildProcess

  private constructor(child: ChildProcess, said: string) {
    this.opened = JSON.parse(said)
    this.#process = child
  }

  get endpoint(): string {
    return this.opened.endpoint
  }

  static async start(data: string, endpoint: string, env: NodeJS.ProcessEnv = process.env): Promise<ChildShop> {
    const script = join(import.meta.dirname, 'shop-process.ts')
    const child = spawn(process.execPath, ['--conditions=tillwire-source', script, data, endpoint], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [said] = (await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])) as [Buffer | number]
    if (!Buffer.isBuffer(said)) throw new Error(`the server ended with code ${said} before it listened`)
    return new ChildShop(child, said.toString())
  }

  get pid(): number {
    return this.#process.pid ?? 0
  }

  /** kill -9, and waits until it is gone. */
  async kill(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const gone = once(this.#process, 'exit')
    this.#process.kill('SIGKILL')
    await gone
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
  }
}
