import { type ChildProcess, spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { LIMITS } from '../limits.ts'
import type { Task } from './command-list.ts'
import { watchGroup } from './watchdog.ts'

/** How a command came to its end. */
export type Ending =
  | { readonly how: 'exited'; readonly code: number }
  | { readonly how: 'killed'; readonly signal: string }
  | { readonly how: 'not started'; readonly error: Error }
  /** It ran into one of its own limits. */
  | { readonly how: 'timed out' | 'said too much' | 'client ended' }

/** What a running command tells. */
export interface GroupEvents {
  output(chunk: Buffer): void
  /** The last event. Whatever the command had started is gone by then. */
  ended(ending: Ending): void
}

/**
 * A program and whatever it starts, in a process group of their own, so that all of them can be ended together. Its input is empty.
 *
 * When the program itself ends, so does the rest of its group: a command leaves nothing behind. A process that has left the group on purpose
 * (a daemon) is not found; it cannot hold the answer open for longer than the grace.
 */
export class ProcessGroup {
  readonly #events: GroupEvents
  readonly #child: ChildProcess
  readonly #streams: readonly Readable[]
  readonly #timeout: NodeJS.Timeout
  #grace: NodeJS.Timeout | undefined
  #left: number
  #paused = false
  #ending: Ending | undefined
  /** Nobody listens any more. */
  #dropped = false
  #finished = false

  constructor(task: Task, events: GroupEvents) {
    this.#events = events
    this.#left = task.outputBytesMax
    const { program, args, folder, environment, errors } = task
    const options = { cwd: folder, env: environment as NodeJS.ProcessEnv, detached: true }
    this.#child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', errors === 'drop' ? 'ignore' : 'pipe'] })
    this.#streams = [this.#child.stdout, this.#child.stderr].filter((stream) => stream !== null)
    this.#timeout = setTimeout(() => this.#stop({ how: 'timed out' }), task.timeoutMs)
    this.#watch()
  }

  /** Reads no more of its output, which holds it back once the pipe is full. */
  pause(): void {
    this.#paused = true
    for (const stream of this.#streams) stream.pause()
  }

  resume(): void {
    this.#paused = false
    for (const stream of this.#streams) stream.resume()
  }

  /** Ends it, because its client has ended: what it has said till now has been heard. */
  clientEnded(): void {
    this.#stop({ how: 'client ended' })
  }

  /** Ends it; nobody hears what it says any more. */
  drop(): void {
    this.#dropped = true
    this.#stop({ how: 'killed', signal: 'SIGTERM' })
  }

  #watch(): void {
    const child = this.#child
    const release = child.pid === undefined ? undefined : watchGroup(child.pid)
    child.on('error', (error) => {
      this.#ending ??= { how: 'not started', error }
      if (child.pid === undefined) this.#finish()
    })
    for (const stream of this.#streams) {
      stream.on('error', () => {}) // what can be said of it, `close` says
      stream.on('data', (chunk: Buffer) => this.#said(chunk))
    }
    child.on('exit', (code, signal) => {
      this.#ending ??= signal === null ? { how: 'exited', code: code ?? 0 } : { how: 'killed', signal }
      clearTimeout(this.#timeout)
      this.#signal('SIGKILL')
      release?.()
      clearTimeout(this.#grace)
      this.#grace = setTimeout(() => this.#silent(), LIMITS.commandGraceMs)
    })
    child.on('close', () => this.#finish())
  }

  #said(chunk: Buffer): void {
    const fits = chunk.length <= this.#left ? chunk : chunk.subarray(0, this.#left)
    this.#left -= fits.length
    if (this.#child.exitCode !== null) this.#grace?.refresh()
    if (!this.#dropped && fits.length > 0) this.#events.output(fits)
    if (fits !== chunk) this.#stop({ how: 'said too much' })
  }

  /** Asks the group to end, and after the grace does not ask any more. */
  #stop(ending: Ending): void {
    if (this.#ending !== undefined && this.#child.exitCode === null && this.#child.signalCode === null) return
    this.#ending = ending
    for (const stream of this.#streams) stream.destroy()
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    clearTimeout(this.#timeout)
    this.#signal('SIGTERM')
    this.#grace = setTimeout(() => this.#signal('SIGKILL'), LIMITS.commandGraceMs)
  }

  /** The program has ended, yet somebody keeps its output open and says nothing. A peer that reads slowly is waited for. */
  #silent(): void {
    if (this.#paused && !this.#dropped) this.#grace?.refresh()
    else for (const stream of this.#streams) stream.destroy()
  }

  #signal(signal: 'SIGTERM' | 'SIGKILL'): void {
    if (this.#child.pid !== undefined) signalGroup(this.#child.pid, signal)
  }

  #finish(): void {
    clearTimeout(this.#timeout)
    clearTimeout(this.#grace)
    if (this.#finished) return
    this.#finished = true
    this.#events.ended(this.#ending ?? { how: 'exited', code: 0 })
  }
}

function signalGroup(leader: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(-leader, signal)
  } catch {
    // ESRCH: nobody is left, which is what was wanted. (macOS says EPERM when only zombies are left.)
  }
}
