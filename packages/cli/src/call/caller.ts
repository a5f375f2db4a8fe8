import { type Connection, type DialSettings, dial, type Limits, NetError, parseEndpoint } from '@tillwire/net'
import { EXIT, Failure, oneLine } from '../failure.ts'
import { type Wire, wireOf } from './wire.ts'

/** How to call. */
export interface CallOptions {
  readonly framing: string | undefined
  /** How long an answer may take, and connecting, in milliseconds. */
  readonly timeoutMs: number
  /** Nobody wants to be connected any more. */
  readonly stop: AbortSignal
  readonly tls: DialSettings['tls']
}

/** A person may think for as long as they like, a server may take what it hears as slowly, and a stream of bytes has no message that could be late. */
const PATIENT: Partial<Limits> = { idleMs: 0, frameMs: 0, sendStallMs: 0 }

/** One connection, or one socket of datagrams, from the caller's side. */
export class Caller {
  readonly wire: Wire
  readonly datagrams: boolean
  readonly #connection: Connection<string | Buffer, string | Uint8Array>
  readonly #endpoint: string
  readonly #listeners = new Set<() => void>()
  #over = false

  /**
   * @param hear - is given what is to be shown; while its promise is pending the server is held back
   * @throws (rejects) Failure in one clear line
   */
  static async dial(endpoint: string, options: CallOptions, hear: (shown: string | Buffer) => Promise<void>): Promise<Caller> {
    const datagrams = /^(udp|unixgram)$/.test(parseEndpoint(endpoint).transport)
    const wire = wireOf(options.framing, datagrams)
    const heard = { tell: () => {} }
    const service = {
      name: 'call',
      framing: wire.framing,
      message: (message: string | Buffer) => {
        heard.tell()
        return hear(wire.show(message)).then(() => undefined)
      },
    }
    try {
      const limits = { ...PATIENT, connectMs: options.timeoutMs }
      const connection = await dial<string | Buffer, string | Uint8Array, unknown>(endpoint, service, {
        signal: options.stop,
        limits,
        tls: options.tls,
      })
      const caller = new Caller(connection, wire, datagrams, endpoint)
      heard.tell = () => caller.#tell()
      return caller
    } catch (error) {
      throw failure(endpoint, error)
    }
  }

  private constructor(connection: Connection<string | Buffer, string | Uint8Array>, wire: Wire, datagrams: boolean, endpoint: string) {
    this.#connection = connection
    this.#endpoint = endpoint
    this.wire = wire
    this.datagrams = datagrams
    void connection.closed.then(() => {
      this.#over = true
      this.#tell()
    })
  }

  /** True once the connection has ended, and nothing more comes. */
  get over(): boolean {
    return this.#over
  }

  /** Resolves at the end, and rejects with a Failure where it was not a polite one. */
  async ended(): Promise<void> {
    const reason = await this.#connection.closed
    if (reason !== undefined && reason.code !== 'aborted') throw failure(this.#endpoint, reason)
  }

  /**
   * Says a line, and waits for room. On a connection that has ended nothing is said.
   * @throws (rejects) Failure when the framing cannot say it
   */
  async say(line: string): Promise<void> {
    let room: boolean
    try {
      room = this.#connection.send(this.wire.say(line))
    } catch (error) {
      throw new Failure(oneLine(error), EXIT.usage)
    }
    if (!room) await this.#connection.writable().catch(() => {}) // the end is told by ended()
  }

  /** Resolves true when something comes, false when nothing does within so many milliseconds, or nothing ever will. */
  heard(withinMs: number): Promise<boolean> {
    if (this.#over) return Promise.resolve(false)
    return new Promise((resolve) => {
      const done = (heard: boolean): void => {
        clearTimeout(timer)
        this.#listeners.delete(listener)
        resolve(heard)
      }
      const listener = (): void => done(!this.#over)
      const timer = setTimeout(() => done(false), withinMs)
      this.#listeners.add(listener)
    })
  }

  /** Nothing more will be said; what the server still says is heard. Resolves when all that was said has left, or never can. */
  async hangUp(): Promise<void> {
    this.#connection.halfClose()
    await this.#connection.flushed().catch(() => {}) // the end is told by ended()
  }

  /** Ends at once. */
  drop(): void {
    this.#connection.abort()
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener()
  }
}

function failure(endpoint: string, error: unknown): unknown {
  if (!(error instanceof NetError)) return error
  if (error.code === 'aborted') return new Failure('interrupted', EXIT.interrupted)
  const message = oneLine(error)
  return new Failure(message.includes(endpoint) ? message : `${endpoint}: ${message}`)
}
