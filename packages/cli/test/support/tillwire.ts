import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type LevelRow, Reader } from '@tillwire/stock'
import { later } from './later.ts'

export const COMMAND: string = join(import.meta.dirname, '../../bin/tillwire')

/** The same program is started hundreds of times: it is read once. */
const COMPILED = join(tmpdir(), 'tillwire-compile-cache')

/** What a command left behind. */
export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly out: string
  readonly err: string
}

/** The real command, running. */
export class Running {
  readonly ended: Promise<Ended>
  readonly #child: ChildProcess
  readonly #lookers = new Set<() => void>()
  #out = ''
  #err = ''
  #over = false

  constructor(command: string, args: readonly string[], cwd: string) {
    const env = { ...process.env, NO_COLOR: '1', TERM: 'xterm', TMPDIR: cwd, NODE_COMPILE_CACHE: COMPILED }
    this.#child = spawn(command, args, { cwd, env, stdio: 'pipe' })
    this.#child.stdin?.on('error', () => {}) // it may end before it has read everything
    this.#child.stdout?.on('data', (chunk: Buffer) => {
      this.#out += chunk.toString()
      this.#look()
    })
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.#err += chunk.toString()
      this.#look()
    })
    this.ended = once(this.#child, 'close').then(([code, signal]) => {
      this.#over = true
      this.#look()
      return { code, signal, out: this.#out, err: this.#err }
    })
  }

  get pid(): number {
    return this.#child.pid as number
  }

  get out(): string {
    return this.#out
  }

  get err(): string {
    return this.#err
  }

  /** Resolves when it has printed this; rejects when it ends before. */
  printed(wanted: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const found = wanted.exec(this.#out) ?? wanted.exec(this.#err)
        if (found === null && !this.#over) return
        this.#lookers.delete(look)
        if (found !== null) resolve(found)
        else reject(new Error(`it ended and had not printed ${wanted}:\n${this.#out}\n${this.#err}`))
      }
      this.#lookers.add(look)
      look()
    })
  }

  type(text: string): void {
    this.#child.stdin?.write(text)
  }

  endInput(text = ''): void {
    this.#child.stdin?.end(text)
  }

  /** Reads nothing that it prints from now on, and lets it know. */
  deafen(): void {
    this.#child.stdout?.destroy()
  }

  kill(signal: NodeJS.Signals): Promise<Ended> {
    this.#child.kill(signal)
    return this.ended
  }

  /** Sends a signal again and again until it ends. */
  async insist(signal: NodeJS.Signals): Promise<Ended> {
    const again = setInterval(() => this.#child.kill(signal), 50)
    return await this.ended.finally(() => clearInterval(again))
  }

  #look(): void {
    for (const look of [...this.#lookers]) look()
  }
}

/** A folder of the test's own, and commands that run in it until the test ends. */
export class Workshop {
  readonly folder: string
  /** A Unix socket in it, for whoever needs an endpoint that outlives a server. */
  readonly endpoint: string
  readonly #t: TestContext

  private constructor(t: TestContext, folder: string) {
    this.#t = t
    this.folder = folder
    this.endpoint = `unix://${join(folder, 'stock')}`
  }

  static async open(t: TestContext): Promise<Workshop> {
    const folder = await mkdtemp(join(tmpdir(), 'tw-'))
    later(t, () => rm(folder, { recursive: true, force: true }))
    return new Workshop(t, folder)
  }

  path(name: string): string {
    return join(this.folder, name)
  }

  start(...args: readonly string[]): Running {
    return this.startCommand(COMMAND, args)
  }

  startCommand(command: string, args: readonly string[]): Running {
    const running = new Running(command, args, this.folder)
    later(this.#t, () => running.kill('SIGKILL'))
    return running
  }

  /** Runs it to its end, with an empty input. */
  run(...args: readonly string[]): Promise<Ended> {
    return this.runWith('', ...args)
  }

  runWith(input: string | Buffer, ...args: readonly string[]): Promise<Ended> {
    const running = this.start(...args)
    running.endInput(input as string)
    return running.ended
  }

  /** A server on the folder's data and endpoint; it listens when this resolves. */
  async serve(...more: readonly string[]): Promise<Running> {
    const server = this.start('serve', '--data', this.path('data'), '--listen', this.endpoint, ...more)
    await server.printed(/stock listening on /)
    return server
  }

  /** Asks the folder's server. */
  async levels(): Promise<readonly LevelRow[]> {
    await using reader = await Reader.connect(this.endpoint)
    const rows: LevelRow[] = []
    for await (const page of reader.levels()) rows.push(...(page.levels ?? []))
    return rows
  }

  /** `S01 milk` → on hand. */
  async onHand(): Promise<Record<string, number>> {
    return Object.fromEntries((await this.levels()).map(({ location, item, onHand }) => [`${location} ${item}`, onHand]))
  }
}
