import { hostname } from 'node:os'
import { type Server, serve } from '@tillwire/net'
import { type Clock, systemClock } from './clock.ts'
import { Committer } from './committer/index.ts'
import { DATA_FOLDER, LOG_FILE, TABLES_FILE } from './data-folder.ts'
import { StockError } from './errors.ts'
import { FolderLock } from './folder-lock.ts'
import type { Ledger } from './ledger/index.ts'
import { type StockLimits, stockLimitsFrom } from './limits.ts'
import { SqliteLog } from './log/index.ts'
import { endIsMissing, loadLedger, Projection, tablesEnd } from './projection/index.ts'
import { replayRecord } from './replay.ts'
import { Sessions, Watches } from './sessions/index.ts'

/** What a server has to tell whoever runs it. */
export type ServerReport =
  /** The check of the log's chain takes its time; the server listens when it is through. */
  | { readonly event: 'log_checking' }
  /** `checkMs` went into the check of the log's chain, `ms` into the ledger. */
  | { readonly event: 'recovered'; readonly position: number; readonly replayed: number; readonly ms: number; readonly checkMs: number }
  | { readonly event: 'log_stalled'; readonly reason: string }
  | { readonly event: 'log_resumed' }
  /** The log is damaged, or its writer is gone: nothing is committed any more. Over a damage no session goes on either. */
  | { readonly event: 'log_broken'; readonly reason: string }
  | { readonly event: 'projection_trouble'; readonly reason: string }
  | { readonly event: 'tills_fighting'; readonly till: string; readonly times: number }
  | { readonly event: 'fault'; readonly error: unknown }

/** How to run a server. */
export interface StockServerOptions {
  /** Its folder; made where it is missing. */
  readonly data: string
  /** Where it listens. */
  readonly listen: readonly string[]
  /** The name that it says in a welcome. Default: the host's. */
  readonly name?: string
  readonly limits?: Partial<StockLimits>
  readonly report?: (report: ServerReport) => void
}

/** The stock server: a log, the ledger that it adds up to, its projection, and the sessions of the tills. */
export class StockServer implements AsyncDisposable {
  /** Where it listens, with the ports that the system chose. */
  readonly endpoints: readonly string[]
  readonly #folder: FolderLock
  readonly #log: SqliteLog
  readonly #projection: Projection
  readonly #committer: Committer
  readonly #sessions: Sessions
  readonly #ledger: Ledger
  readonly #server: Server
  #closing: Promise<void> | undefined

  private constructor(parts: {
    folder: FolderLock
    log: SqliteLog
    projection: Projection
    committer: Committer
    sessions: Sessions
    ledger: Ledger
    server: Server
  }) {
    this.#folder = parts.folder
    this.#log = parts.log
    this.#projection = parts.projection
    this.#committer = parts.committer
    this.#sessions = parts.sessions
    this.#ledger = parts.ledger
    this.#server = parts.server
    this.endpoints = parts.server.endpoints
  }

  /**
   * Takes the folder, recovers, listens.
   * @throws (rejects) StockError `data_in_use`, `data_unusable`, `log_damaged`; NetError of `serve`; RangeError that names a limit.
   */
  static async open(options: StockServerOptions): Promise<StockServer> {
    const limits = stockLimitsFrom(options.limits)
    const report = options.report ?? (() => {})
    const clock = systemClock
    const folder = FolderLock.claim(options.data, DATA_FOLDER)
    await using undo = new AsyncDisposableStack()
    undo.defer(() => folder.release())
    const paths = { log: folder.file(LOG_FILE), ledger: folder.file(TABLES_FILE) }
    const log = await openLog(paths, limits, clock, report)
    undo.defer(() => log.close())
    let ledger: Ledger | undefined
    let damage: StockError | undefined
    let found = (reason: StockError): void => {
      damage ??= reason
    }
    let server: Server | undefined
    const projection = await Projection.open(paths, limits, () => ledger?.position ?? 0, {
      trouble: (reason) => report({ event: 'projection_trouble', reason }),
      damaged: (reason) => found(new StockError('log_damaged', reason)),
    })
    undo.defer(() => projection.close())
    ledger = await recover(paths.ledger, log, clock, report)
    const watches = new Watches(clock, limits.watchMs)
    const committer: Committer = new Committer({
      log,
      ledger,
      clock,
      limits,
      postings: () => (watches.count > 0 ? watches : undefined),
      applied: () => {
        projection.follow()
        sessions.applied()
      },
      stalled: (reason) => report(reason === undefined ? { event: 'log_resumed' } : { event: 'log_stalled', reason: reason.message }),
      broken: (reason: StockError) => {
        report({ event: 'log_broken', reason: reason.message })
        if (reason.code === 'log_damaged') void server?.close({ within: 0 })
      },
    })
    undo.defer(() => committer.close())
    projection.follow()
    const fault = (error: unknown): void => report({ event: 'fault', error })
    const sessions: Sessions = new Sessions({
      name: options.name ?? hostname(),
      ledger,
      committer,
      archive: projection,
      desk: projection,
      watches,
      clock,
      limits,
      fault,
      tillsFighting: (till, times) => report({ event: 'tills_fighting', till, times }),
    })
    undo.defer(() => sessions.close())
    sessions.applied()
    const { connectionsMax, lineBytesMax: frameBytesMax, lineMs: frameMs } = limits
    const netLimits = { connectionsMax, frameBytesMax, frameMs, handshakeMs: 0, idleMs: 0 }
    server = await serve(sessions, options.listen, { limits: netLimits, onFault: fault })
    undo.defer(() => server?.close({ within: 0 }))
    found = (reason) => committer.fail(reason)
    if (damage !== undefined) throw damage
    folder.announce(server.endpoints)
    undo.move()
    return new StockServer({ folder, log, projection, committer, sessions, ledger, server })
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

  /**
   * Stops: takes no new connection and no new line, commits and acknowledges what was taken, ends the sessions, lets the projection
   * catch up, closes the files. After `within` milliseconds (default 10,000) sessions that are left are dropped.
   */
  close(options: { readonly within?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(options)
    return this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #close(options: { readonly within?: number }): Promise<void> {
    await this.#server.close(options)
    this.#sessions.close()
    this.#committer.close()
    await this.#projection.close()
    await this.#log.close()
    this.#folder.release()
  }
}

/** The log, whole, and not shorter than what was made from it. @throws (rejects) StockError `log_damaged`, `data_unusable`. */
async function openLog(
  paths: { readonly log: string; readonly ledger: string },
  { checkTellMs }: StockLimits,
  clock: Clock,
  report: (report: ServerReport) => void,
): Promise<SqliteLog> {
  const isThrough = clock.after(checkTellMs, () => report({ event: 'log_checking' }))
  try {
    const log = await SqliteLog.open(paths.log)
    const tables = tablesEnd(paths.ledger)
    if (tables?.log !== log.id || tables.position < log.head.next) return log
    await log.close()
    throw new StockError('log_damaged', endIsMissing(log.head.next - 1, tables.position))
  } finally {
    isThrough()
  }
}

/** The ledger as of the log's end: what the projection holds, and the log's tail replayed over it. */
async function recover(path: string, log: SqliteLog, clock: Clock, report: (report: ServerReport) => void): Promise<Ledger> {
  const started = clock.now()
  const { ledger, head } = loadLedger(path)
  const loaded = ledger.position
  for await (const record of log.read(head.next, head)) replayRecord(ledger, record)
  if (ledger.position > 0) {
    report({
      event: 'recovered',
      position: ledger.position,
      replayed: ledger.position - loaded,
      ms: clock.now() - started,
      checkMs: log.checked.ms,
    })
  }
  return ledger
}
