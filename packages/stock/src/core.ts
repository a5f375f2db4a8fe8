import { type Server, serve, type Transport } from '@tillwire/net'
import { type Clock, timerClock } from './clock.ts'
import { Committer } from './committer/index.ts'
import type { StockError } from './errors.ts'
import type { Ledger } from './ledger/index.ts'
import type { StockLimits } from './limits.ts'
import type { Log } from './log/index.ts'
import { type Archive, type QuestionDesk, Sessions, Watches } from './sessions/index.ts'

/** What the working parts of a server have to tell. */
export type CoreReport =
  | { readonly event: 'log_stalled'; readonly reason: string }
  | { readonly event: 'log_resumed' }
  /** The log is damaged, or its writer is gone: nothing is committed any more. Over a damage no session goes on either. */
  | { readonly event: 'log_broken'; readonly reason: string }
  | { readonly event: 'tills_fighting'; readonly till: string; readonly times: number }
  | { readonly event: 'fault'; readonly error: unknown }

/** What a server is assembled from. */
export interface CoreParts {
  /** The name that it says in a welcome. */
  readonly name: string
  readonly log: Log
  /** What the log adds up to. */
  readonly ledger: Ledger
  readonly archive: Archive
  readonly desk: QuestionDesk
  readonly clock: Clock
  readonly limits: StockLimits
  /** Where it listens. */
  readonly listen: readonly string[]
  /** Carries the connections, in place of sockets. */
  readonly transport?: Transport | undefined
  /** A batch has been applied. */
  readonly applied: () => void
  readonly report: (report: CoreReport) => void
}

/**
 * What works in a stock server between its log and its connections: the same whether these are files and sockets or, in a test, memory.
 */
export class StockCore {
  /** Where it listens, with the ports that the system chose. */
  readonly endpoints: readonly string[]
  readonly #ledger: Ledger
  readonly #committer: Committer
  readonly #sessions: Sessions
  readonly #server: Server

  private constructor(ledger: Ledger, committer: Committer, sessions: Sessions, server: Server) {
    this.#ledger = ledger
    this.#committer = committer
    this.#sessions = sessions
    this.#server = server
    this.endpoints = server.endpoints
  }

  /** Puts the parts together and listens. @throws (rejects) NetError of `serve`. */
  static async open(parts: CoreParts): Promise<StockCore> {
    const { name, log, ledger, archive, desk, clock, limits, listen, transport, applied, report } = parts
    const watches = new Watches(clock, limits.watchMs)
    let server: Server | undefined
    const committer: Committer = new Committer({
      log,
      ledger,
      clock,
      limits,
      postings: () => (watches.count > 0 ? watches : undefined),
      applied: () => {
        applied()
        sessions.applied()
      },
      stalled: (reason) => report(reason === undefined ? { event: 'log_resumed' } : { event: 'log_stalled', reason: reason.message }),
      broken: (reason: StockError) => {
        report({ event: 'log_broken', reason: reason.message })
        if (reason.code === 'log_damaged') void server?.close({ within: 0 })
      },
    })
    const fault = (error: unknown): void => report({ event: 'fault', error })
    const sessions: Sessions = new Sessions({
      name,
      log: log.id,
      ledger,
      committer,
      archive,
      desk,
      watches,
      clock,
      limits,
      fault,
      tillsFighting: (till, times) => report({ event: 'tills_fighting', till, times }),
    })
    sessions.applied()
    const { connectionsMax, lineBytesMax: frameBytesMax, lineMs: frameMs } = limits
    const netLimits = { connectionsMax, frameBytesMax, frameMs, handshakeMs: 0, idleMs: 0 }
    try {
      server = await serve(sessions, listen, { limits: netLimits, onFault: fault, transport, clock: timerClock(clock) })
      return new StockCore(ledger, committer, sessions, server)
    } catch (error) {
      sessions.close()
      committer.close()
      throw error
    }
  }

  /** The position of the last transaction that is durable and applied. */
  get position(): number {
    return this.#ledger.position
  }

  /** Why nothing can be committed just now; undefined when all is well. */
  get trouble(): StockError | undefined {
    return this.#committer.trouble
  }

  /** Connections that are open now. */
  get connections(): number {
    return this.#server.counters.active
  }

  /** Commits nothing more, for this reason. */
  fail(reason: StockError): void {
    this.#committer.fail(reason)
  }

  /** Takes no new connection and no new line, commits and acknowledges what was taken, and ends the sessions; see `Server.close`. */
  async close(options: { readonly within?: number } = {}): Promise<void> {
    await this.#server.close(options)
    this.#sessions.close()
    this.#committer.close()
  }
}
