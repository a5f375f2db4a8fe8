import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** A server that is measured: a program, and how people call it. */
export interface Server {
  readonly name: string
  /** Under `servers/`, with its arguments; a `.py` runs under python3. */
  readonly program: readonly [file: string, ...args: string[]]
}

const START_MS = 10_000

/** A server's process; `servers/control.ts` says how it is spoken with. */
export class Contender {
  readonly name: string
  readonly port: number
  readonly #child: ChildProcess
  readonly #answers: AsyncIterator<string>

  private constructor(name: string, port: number, child: ChildProcess, answers: AsyncIterator<string>) {
    this.name = name
    this.port = port
    this.#child = child
    this.#answers = answers
  }

  /** @returns undefined where the program's interpreter is not installed. */
  static async start({ name, program: [file, ...args] }: Server): Promise<Contender | undefined> {
    const path = fileURLToPath(new URL(`./servers/${file}`, import.meta.url))
    const interpreter = file.endsWith('.py') ? 'python3' : process.execPath
    const child = spawn(interpreter, [path, ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
    try {
      await once(child, 'spawn')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT' && interpreter !== process.execPath) return undefined
      throw error
    }
    const answers = createInterface(child.stdout)[Symbol.asyncIterator]()
    const giveUp = setTimeout(() => child.kill(), START_MS)
    const { value } = await answers.next()
    clearTimeout(giveUp)
    if (value === undefined) throw new Error(`${name} did not start`)
    return new Contender(name, Number(value), child, answers)
  }

  /** CPU time that the process has used so far, all its threads together, in microseconds. */
  async cpuMicros(): Promise<number> {
    this.#child.stdin?.write('\n')
    const { value } = await this.#answers.next()
    if (value === undefined) throw new Error(`${this.name} has ended`)
    return Number(value)
  }

  async stop(): Promise<void> {
    this.#child.stdin?.end()
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'exit')
  }
}
