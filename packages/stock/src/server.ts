import { existsSync, rmSync, statSync } from 'node:fs'
import { hostname } from 'node:os'
import { type Clock, systemClock } from './clock.ts'
import { type CoreReport, StockCore } from './core.ts'
import { DATA_FOLDER, LOG_FILE, TABLES_FILE } from './data-folder.ts'
import { StockError } from './errors.ts'
import { FolderLock } from './folder-lock.ts'
import type { Ledger } from './ledger/index.ts'
import { type StockLimits, stockLimitsFrom } from './limits.ts'
import { SqliteLog } from './log/index.ts'
import { endIsMissing, logIsMissing, Projection, tablesEnd } from './projection/index.ts'
import { loadAhead, recover, recoverAhead } from './recovery.ts'

/** What a server has to tell whoever runs it. */
export type ServerReport =
  /** The check of the log's chain takes its time; the server listens when it is through. */
  | { readonly event: 'log_checking' }
  /** `checkMs` went into the check of the log's chain, `ms` into the ledger. */
  | { readonly event: 'recovered'; readonly position: number; readonly replayed: number; readonly ms: number; readonly checkMs: number }
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
    const paths = { log: folder.file(LOG_FILE), ledger: folder.file(TABLES_FILE) }
    const isNew = !existsSync(paths.log) && !existsSync(paths.ledger)
    const started = clock.now()
    const opening = openLog(paths, limits, clock, report)
    const loaded = isNew ? undefined : loadAhead(paths.ledger) // while the log's thread starts, and looks over the log
    const log = await opening
    undo.defer(() => (isNew && log.head.next === 1 ? removeFiles(paths) : undefined))
    undo.defer(() => log.close())
    let ledger: Ledger | undefined
    let damage: StockError | undefined
    let found = (reason: StockError): void => {
      damage ??= reason
    }
    const hears = {
      trouble: (reason: string) => report({ event: 'projection_trouble', reason }),
      damaged: (reason: string) => found(new StockError('log_damaged', reason)),
    }
    // Where the tables can be read, nobody waits for their thread, which loads them for itself; else it makes them anew first.
    const ahead = await recoverAhead(loaded, log, clock, started)
    const at = (): number => ledger?.position ?? 0
    const projection =
      ahead === undefined ? await Projection.open(paths, limits, at, hears) : Projection.openBehind(paths, limits, at, hears)
    undo.defer(() => projection.close())
    const recovered = ahead ?? (await recover(paths.ledger, log, clock))
    ledger = recovered.ledger
    if (ledger.position > 0) {
      const { replayed, ms } = recovered
      report({ event: 'recovered', position: ledger.position, replayed, ms, checkMs: log.checked.ms })
    }
    projection.follow()
    const core = await StockCore.open({
      name: options.name ?? hostname(),
      log,
      ledger,
      archive: projection,
      desk: projection,
      clock,
      limits,
      listen: options.listen,
      applied: () => projection.follow(),
      report,
    })
    undo.defer(() => core.close({ within: 0 }))
    found = (reason) => core.fail(reason)
    if (damage !== undefined) throw damage
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

/** The log, whole, and not shorter than what was made from it. @throws (rejects) StockError `log_damaged`, `data_unusable`. */
async function openLog(
  paths: { readonly log: string; readonly ledger: string },
  { checkTellMs }: StockLimits,
  clock: Clock,
  report: (report: ServerReport) => void,
): Promise<SqliteLog> {
  const tables = tablesEnd(paths.ledger)
  const holds = tables !== undefined && tables.position > 0
  // Before it is opened, which makes it: what was lost is not to be covered up by an empty one.
  if (holds && (statSync(paths.log, { throwIfNoEntry: false })?.size ?? 0) === 0) {
    throw new StockError('log_damaged', logIsMissing(paths.log, tables.position))
  }
  const isThrough = clock.after(checkTellMs, () => report({ event: 'log_checking' }))
  try {
    const log = await SqliteLog.open(paths.log)
    const end = log.head.next - 1
    // An empty log is of no use to anybody; any other may stand here on purpose: the tables are made from it anew.
    if (!holds || tables.position <= end || (end > 0 && tables.log !== log.id)) return log
    await log.close()
    throw new StockError('log_damaged', end === 0 ? logIsMissing(paths.log, tables.position) : endIsMissing(end, tables.position))
  } finally {
    isThrough()
  }
}

/** Takes away what a start has made that came to nothing: a backup can then be restored there. */
function removeFiles(paths: { readonly log: string; readonly ledger: string }): void {
  for (const path of [paths.log, paths.ledger]) for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true })
}
