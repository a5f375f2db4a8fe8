import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const TILLWIRE = fileURLToPath(new URL('../packages/cli/bin/tillwire', import.meta.url))
/** What the kernel counts CPU time in: ticks of 10 ms. */
const TICKS_A_SECOND = 100

/** A `tillwire serve` of its own, as a user would run it. */
export class ServerProcess {
  readonly port: number
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, port: number) {
    this.#child = child
    this.port = port
  }

  static async start(data: string): Promise<ServerProcess> {
    const child = spawn(TILLWIRE, ['serve', '--data', data, '--listen', 'tcp://127.0.0.1:0', '--no-http'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    for await (const chunk of child.stdout) {
      const port = /listening on tcp:\/\/127\.0\.0\.1:(\d+)/.exec(String(chunk))?.[1]
      if (port !== undefined) return new ServerProcess(child, Number(port))
    }
    throw new Error('the server did not start')
  }

  /** CPU seconds used so far, all threads together; undefined where /proc is not. */
  get cpuSeconds(): number | undefined {
    try {
      const fields = readFileSync(`/proc/${this.#child.pid}/stat`, 'utf8')
        .replace(/^.*\) /, '')
        .split(' ')
      return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND
    } catch {
      return undefined
    }
  }

  /** Resident memory in megabytes; undefined where /proc is not. */
  get residentMegabytes(): number | undefined {
    try {
      return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${this.#child.pid}/status`, 'utf8'))?.[1]) / 1024
    } catch {
      return undefined
    }
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGTERM')
    await once(this.#child, 'exit')
  }
}
