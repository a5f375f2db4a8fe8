import { type Server, serve } from '@tillwire/net'
import { systemClock } from '../../src/clock.ts'
import { Committer } from '../../src/committer/index.ts'
import { Ledger } from '../../src/ledger/index.ts'
import { type StockLimits, stockLimitsFrom } from '../../src/limits.ts'
import { type Archive, MemoryArchive, Sessions, Watches } from '../../src/sessions/index.ts'
import { HeldLog } from './held-log.ts'
import { WireClient } from './wire-client.ts'

/** Sessions over real sockets, whose log and archive answer when the test lets them. */
export class HeldShop implements AsyncDisposable {
  readonly log: HeldLog
  readonly faults: unknown[] = []
  /** A test may put answers of its own in. */
  readonly archive: { -readonly [Question in keyof Archive]: Archive[Question] }
  readonly ledger: Ledger = new Ledger()
  readonly #committer: Committer
  readonly #sessions: Sessions
  #server: Server | undefined

  private constructor(own: Partial<StockLimits>) {
    const limits = stockLimitsFrom(own)
    const watches = new Watches(systemClock, limits.watchMs)
    this.log = new HeldLog()
    const archive = new MemoryArchive(this.log, limits)
    this.archive = {
      recall: (...asked) => archive.recall(...asked),
      recallAt: (position) => archive.recallAt(position),
      earlierIds: (...asked) => archive.earlierIds(...asked),
      sale: (...asked) => archive.sale(...asked),
      movedSince: (...asked) => archive.movedSince(...asked),
    }
    this.#committer = new Committer({
      log: this.log,
      ledger: this.ledger,
      clock: systemClock,
      limits,
      postings: () => (watches.count > 0 ? watches : undefined),
      applied: () => {},
      stalled: () => {},
      broken: () => {},
    })
    this.#sessions = new Sessions({
      name: 'held',
      log: this.log.id,
      ledger: this.ledger,
      committer: this.#committer,
      archive: this.archive,
      desk: { answer: () => Promise.reject(new Error('no desk')) },
      watches,
      clock: systemClock,
      limits,
      fault: (error) => this.faults.push(error),
      tillsFighting: () => {},
    })
  }

  static async open(limits: Partial<StockLimits> = {}): Promise<HeldShop> {
    const shop = new HeldShop(limits)
    shop.#server = await serve(shop.#sessions, 'tcp://127.0.0.1:0', { onFault: (error) => shop.faults.push(error) })
    return shop
  }

  get server(): Server {
    if (this.#server === undefined) throw new Error('not open')
    return this.#server
  }

  /** How many callbacks wait behind the log. */
  get waiting(): number {
    return this.#committer.waiting
  }

  connect(): Promise<WireClient> {
    return WireClient.connect(this.server.endpoints[0] ?? '')
  }

  /** A till that has been registered. */
  async till(name: string): Promise<WireClient> {
    const client = await this.connect()
    client.say({ hello: 1, till: name, epoch: 0 })
    await this.log.handed()
    await this.log.write()
    await client.next()
    return client
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#committer.close()
    await this.#server?.close({ within: 0 })
  }
}
