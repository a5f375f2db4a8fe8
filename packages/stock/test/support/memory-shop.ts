import { type Server, serve } from '@tillwire/net'
import { type Clock, systemClock } from '../../src/clock.ts'
import { Committer } from '../../src/committer/index.ts'
import { Ledger } from '../../src/ledger/index.ts'
import { type StockLimits, stockLimitsFrom } from '../../src/limits.ts'
import { MemoryLog } from '../../src/log/index.ts'
import { replayRecord } from '../../src/replay.ts'
import { MemoryArchive, Sessions, Watches } from '../../src/sessions/index.ts'
import { WireClient } from './wire-client.ts'

/** The system's timers, and a time of day that a test can move. */
export class MovedClock implements Clock {
  /** How far it is ahead, in milliseconds. */
  ahead = 0

  now(): number {
    return systemClock.now() + this.ahead
  }

  after(ms: number, callback: () => void): () => void {
    return systemClock.after(ms, callback)
  }

  soon(callback: () => void): void {
    systemClock.soon(callback)
  }
}

/** A whole server over real sockets whose log is in memory: it can be started again, and be put back to an older one. */
export class MemoryShop implements AsyncDisposable {
  readonly clock: MovedClock = new MovedClock()
  readonly faults: unknown[] = []
  readonly fights: [till: string, times: number][] = []
  log: MemoryLog = new MemoryLog()
  ledger: Ledger = new Ledger()
  readonly #limits: StockLimits
  #committer: Committer | undefined
  #sessions: Sessions | undefined
  #server: Server | undefined

  private constructor(limits: Partial<StockLimits>) {
    this.#limits = stockLimitsFrom(limits)
  }

  static async open(limits: Partial<StockLimits> = {}): Promise<MemoryShop> {
    const shop = new MemoryShop(limits)
    await shop.start()
    return shop
  }

  async start(): Promise<void> {
    const [limits, clock, log, ledger] = [this.#limits, this.clock, this.log, new Ledger()]
    for await (const record of log.read(1)) replayRecord(ledger, record)
    ledger.journal.beginBehind(ledger.position, ledger.recorded, () => 1) // as one that loads its tables
    ledger.journal.leaveEarlier()
    const watches = new Watches(clock, limits.watchMs)
    const committer: Committer = new Committer({
      log,
      ledger,
      clock,
      limits,
      postings: () => (watches.count > 0 ? watches : undefined),
      applied: () => sessions.applied(),
      stalled: () => {},
      broken: (reason) => this.faults.push(reason),
    })
    const sessions: Sessions = new Sessions({
      name: 'memory',
      log: log.id,
      ledger,
      committer,
      archive: new MemoryArchive(log, limits),
      desk: { answer: () => Promise.reject(new Error('no desk')) },
      watches,
      clock,
      limits,
      fault: (error) => this.faults.push(error),
      tillsFighting: (till, times) => this.fights.push([till, times]),
    })
    sessions.applied()
    this.ledger = ledger
    this.#committer = committer
    this.#sessions = sessions
    this.#server = await serve(sessions, 'tcp://127.0.0.1:0', { onFault: (error) => this.faults.push(error) })
  }

  async stop(): Promise<void> {
    await this.#server?.close({ within: 2_000 })
    this.#sessions?.close()
    this.#committer?.close()
  }

  /** Starts again, the ledger made from the log. */
  async restart(): Promise<void> {
    await this.stop()
    await this.start()
  }

  /** Starts again from a backup that ends before a position. */
  async restore(position: number): Promise<void> {
    await this.stop()
    const log = new MemoryLog()
    for await (const { first, count, recorded, body } of this.log.read(1)) {
      if (first < position) await log.append({ first, count, recorded, body })
    }
    this.log = log
    await this.start()
  }

  connect(): Promise<WireClient> {
    return WireClient.connect(this.#server?.endpoints[0] ?? '')
  }

  /** A till that said this hello, with what it heard. */
  async till(
    name: string,
    epoch: number,
    known: { last?: number; chain?: string } = {},
  ): Promise<WireClient & { readonly welcome: Record<string, unknown> }> {
    const client = await this.connect()
    client.say({ hello: 1, till: name, epoch, ...known })
    return Object.assign(client, { welcome: await client.next() })
  }

  /** On hand of an item at S01, in units; undefined where it never moved. */
  onHand(code = 'apple'): number | undefined {
    const item = this.ledger.items.find(code)
    const thousandths = item && this.ledger.places.location('S01')?.quantity(item.number)
    return thousandths === undefined ? undefined : thousandths / 1000
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }
}
