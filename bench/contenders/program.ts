import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

/** What the kernel counts the CPU time of ended children in: ticks of 10 ms. */
const TICKS_A_SECOND = 100
const START_MS = 600_000
const POLL_MS = 100

/** Those that still run, so that none outlives a bench that is broken off. */
const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** How a program is started. */
export interface Start {
  readonly command: string
  readonly args: readonly string[]
  /** Where what it says goes. */
  readonly log: string
  /** It is ready once it has written this. */
  readonly ready: RegExp
  /** It writes that to its errors, not to its output. */
  readonly readyOnErrors?: boolean
  readonly user?: { readonly uid: number; readonly gid: number } | undefined
}

/** A program of the bench, with the processes that it starts itself. Linux: what is measured stands in /proc. */
export class Program {
  readonly #child: ChildProcess
  /** The group of `ready`, where it has one. */
  readonly said: string

  private constructor(child: ChildProcess, said: string) {
    this.#child = child
    this.said = said
  }

  static async start({ command, args, log, ready, readyOnErrors = false, user }: Start): Promise<Program> {
    const file = openSync(log, 'a')
    const stdio = readyOnErrors ? (['ignore', file, 'pipe'] as const) : (['ignore', 'pipe', file] as const)
    const child = spawn(command, args, { stdio: [...stdio], ...user })
    closeSync(file)
    running.add(child)
    child.once('exit', () => running.delete(child))
    const giveUp = setTimeout(() => child.kill('SIGKILL'), START_MS)
    try {
      await once(child, 'spawn')
      const stream = (readyOnErrors ? child.stderr : child.stdout) as NonNullable<typeof child.stdout>
      for await (const line of createInterface(stream)) {
        const found = ready.exec(line)
        if (found === null) continue
        stream.resume() // what else it says is passed over
        return new Program(child, found[1] ?? '')
      }
      throw new Error(`${command} did not start; see ${log}`)
    } finally {
      clearTimeout(giveUp)
    }
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** CPU seconds used so far by it and all its children, those that have ended too. */
  get cpuSeconds(): number {
    const pid = this.#child.pid as number
    const own = parentage(pid)
    if (own === undefined) throw new Error('a program of the bench has ended')
    const children = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && parentage(Number(name))?.parent === pid)
    return [pid, ...children.map(Number)].reduce((sum, each) => sum + runTime(each), own.endedChildren)
  }

  /** Resident memory of the process itself. */
  get residentMegabytes(): number {
    return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${this.#child.pid}/status`, 'utf8'))?.[1]) / 1024
  }

  /** It does nothing at all until {@link resume}: what it still has to do does not fall on others. */
  pause(): void {
    this.#child.kill('SIGSTOP')
  }

  resume(): void {
    this.#child.kill('SIGCONT')
  }

  /** Resolves when it has used next to no CPU for a while, or when the time is over. */
  async quiet(withinMs: number): Promise<void> {
    const end = performance.now() + withinMs
    let before = this.cpuSeconds
    for (let calm = 0; calm < 5 && performance.now() < end; ) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
      const now = this.cpuSeconds
      calm = now - before <= 0.01 ? calm + 1 : 0
      before = now
    }
  }

  async end(signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL'): Promise<void> {
    if (!this.running) return
    const exited = once(this.#child, 'exit')
    this.#child.kill(signal)
    this.resume()
    await exited
  }
}

function parentage(pid: number): { readonly parent: number; readonly endedChildren: number } | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ')
      .map(Number)
    return { parent: fields[1] as number, endedChildren: ((fields[13] as number) + (fields[14] as number)) / TICKS_A_SECOND }
  } catch {
    return undefined // it has ended meanwhile
  }
}

/** CPU seconds of all threads of a process, to the nanosecond: in 32 processes the ticks that are not full yet would add up. */
function runTime(pid: number): number {
  try {
    const nanos = readdirSync(`/proc/${pid}/task`).map((thread) =>
      Number.parseInt(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8'), 10),
    )
    return nanos.reduce((sum, each) => sum + each, 0) / 1e9
  } catch {
    return 0 // it has ended meanwhile
  }
}
