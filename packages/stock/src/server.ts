import { hostname } from 'node:os'
import { type Clock, systemClock } from './clock.ts'
import { type CoreReport, StockCore } from './core.ts'
import type { StockError } from './errors.ts'
import { FolderLock, type FolderUse } from './folder-lock.ts'
import type { Ledger } from './ledger/index.ts'
import { type StockLimits, stockLimitsFrom } from './limits.ts'
import { SqliteLog } from './log/index.ts'
import { loadLedger, Projection } from './projection/index.ts'
import { replayRecord } from './replay.ts'

/** What a server has to tell whoever runs it. */
export type ServerReport =
  | { readonly event: 'recovered'; readonly position: number; readonly replayed: number; readonly ms: number }
  | { readonly event: 'log_damaged'; readonly reason: string }
  | { readonly event: 'projection_trouble'; readonly reason: string }
  | CoreReport

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

const DATA_FOLDER: FolderUse = { what: 'data folder', inUse: 'data_in_use', unusable: 'data_unusable' }

/** The stock server: a log, the ledger that it adds up to, its projection, and the sessions of the tills. */
export class StockServer implements AsyncDisposable {
  /** Where it listens, with the ports that the system chose. */
  readonly endpoints: readonly string[]
  readonly #folder: FolderLock
  readonly #log: SqliteLog
  readonly #projection: Projection
  readonly #core: StockCore
  #closing: Promise<void> | undefined

  private constructor(parts: { folder: FolderLock; log: SqliteLog; projection: Projection; core: StockCore }) {
    this.#folder = parts.folder
    this.#log = parts.log
    this.#projection = parts.projection
    this.#core = parts.core
    this.endpoints = parts.core.endpoints
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
    const paths = { log: folder.file('log.db'), ledger: folder.file('ledger.db') }
    const log = await SqliteLog.open(paths.log)
    undo.defer(() => log.close())
    let ledger: Ledger | undefined
    const projection = await Projection.open(paths, limits, () => ledger?.position ?? 0, {
      trouble: (reason) => report({ event: 'projection_trouble', reason }),
      damaged: (reason) => report({ event: 'log_damaged', reason }),
    })
    undo.defer(() => projection.close())
    ledger = await recover(paths.ledger, log, clock, report)
    projection.follow()
    const core = await StockCore.open({
      name: options.name ?? hostname(),
      log,
      ledger,
      archive: projection,
      clock,
      limits,
      listen: options.listen,
      applied: () => projection.follow(),
      report,
    })
    undo.defer(() => core.close({ within: 0 }))
    folder.announce(core.endpoints)
    undo.move()
    return new StockServer({ folder, log, projection, core })
  }

  /** The position of the last transaction that is durable and applied. */
  get position(): number {
    return this.#core.position
  }

  /** Why nothing can be committed just now; undefined when all is well. */
  get trouble(): StockError | undefined {
    return this.#core.trouble
  }

  /** Connections that are open now. */
  get connections(): number {
    return this.#core.connections
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
    await this.#core.close(options)
    await this.#projection.close()
    await this.#log.close()
    this.#folder.release()
  }
}

/** The ledger as of the log's end: what the projection holds, and the log's tail replayed over it. */
async function recover(path: string, log: SqliteLog, clock: Clock, report: (report: ServerReport) => void): Promise<Ledger> {
  const started = clock.now()
  const { ledger, head } = loadLedger(path)
  const loaded = ledger.position
  for await (const record of log.read(head.next, head)) replayRecord(ledger, record)
  if (ledger.position > 0) {
    report({ event: 'recovered', position: ledger.position, replayed: ledger.position - loaded, ms: clock.now() - started })
  }
  return ledger
}
