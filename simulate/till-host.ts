import { type Draft, StockError, type StockLimits, Till, type TillStatus } from '@tillwire/stock'
import { type Death, Machine } from './machine.ts'
import type { Network } from './network.ts'
import { type HeldRow, OutboxDisk } from './outbox-disk.ts'
import type { Random } from './random.ts'
import { SERVER } from './server-host.ts'
import type { Timeline } from './timeline.ts'

/** What a till is started on. */
export interface TillParts {
  readonly timeline: Timeline
  readonly network: Network
  readonly random: Random
  readonly limits: StockLimits
  /** The till has seen these acknowledged, in an epoch. */
  readonly acknowledged: (till: string, epoch: number, rows: readonly HeldRow[]) => void
  readonly changed: (host: TillHost) => void
}

/** A machine that posts under a till's name: its disk stays, its process comes and goes. */
export class TillHost {
  readonly till: string
  readonly disk: OutboxDisk
  readonly skewMs: number
  /** As people tell two machines of one till apart. */
  readonly name: string
  /** It has no line to anywhere. */
  offline = false
  readonly #parts: TillParts
  readonly #random: Random
  #machine: Machine
  #till: Till | undefined
  #seen = { epoch: 0, acked: 0 }

  constructor(till: string, name: string, parts: TillParts, skewMs: number, image?: Uint8Array) {
    this.till = till
    this.name = name
    this.skewMs = skewMs
    this.disk = new OutboxDisk(name, image)
    this.#parts = parts
    this.#random = parts.random.fork()
    this.#machine = new Machine(name, parts.timeline, skewMs)
    this.#machine.die('killed')
  }

  get up(): boolean {
    return this.#machine.alive
  }

  get machine(): Machine {
    return this.#machine
  }

  get status(): TillStatus | undefined {
    return this.#machine.alive ? this.#till?.state : undefined
  }

  /** Starts the till's program. */
  boot(options: { readonly takeOver?: boolean } = {}): void {
    if (this.up) return
    const { timeline, network, limits, changed } = this.#parts
    const machine = new Machine(this.name, timeline, this.skewMs)
    this.#machine = machine
    machine.after(0, 'boots', () => {
      try {
        this.#till = new Till({
          till: this.till,
          outbox: this.disk,
          server: SERVER,
          limits,
          clock: machine.clock,
          random: this.#random.next,
          newId: () => this.#random.uuid(machine.clock.now()),
          transport: network.of(machine, () => !this.offline),
          changed: () => {
            if (!machine.alive || this.#till === undefined) return
            this.#look()
            changed(this)
          },
          ...options,
        })
        // What was seen in an earlier life was noted then, and may be undone since.
        this.#seen = this.disk.standing()
      } catch (error) {
        // A disk that refuses: a person starts it again.
        if (!(error instanceof StockError)) throw error
        timeline.note(`${this.name} does not start: ${error.code}`)
        this.crash('killed')
        timeline.after(10_000, `${this.name} is started again`, () => this.boot(options))
      }
    })
  }

  /** Posts, in one step; what the outbox refuses is not posted. */
  post(drafts: readonly Draft[]): void {
    if (!this.up || this.#till === undefined) return
    try {
      this.#till.postAll(drafts)
    } catch (error) {
      if (!(error instanceof StockError) || (error.code !== 'outbox_unusable' && error.code !== 'outbox_full')) throw error
      this.#parts.timeline.note(`${this.name} cannot post: ${error.code}`)
    }
  }

  /** A person looks at a refused transaction, and drops it or posts another in its place; one that had been accepted before is offered again. */
  settleRefused(draft: Draft | undefined): void {
    const [refused] = this.#till?.refused(0, 1) ?? []
    if (refused === undefined) return
    try {
      if (refused.accepted) this.#till?.offerAgain(refused.seq)
      else if (draft === undefined) this.#till?.drop(refused.seq)
      else this.#till?.replace(refused.seq, draft)
    } catch (error) {
      if (!(error instanceof StockError) || error.code !== 'outbox_unusable') throw error
    }
  }

  /** The process ends; what its disk holds stays. */
  crash(death: Death): void {
    if (!this.up) return
    this.#machine.die(death)
    this.disk.detach()
    this.#till = undefined
  }

  /** Every row that its outbox would send, or has sent. */
  rows(): readonly HeldRow[] {
    if (this.up && this.#till !== undefined) return this.disk.rows(0, Number.MAX_SAFE_INTEGER)
    const disk = new OutboxDisk(this.name, this.disk.copy())
    const database = disk.open()
    const there = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'outgoing'").get() !== undefined
    const rows = there ? disk.rows(0, Number.MAX_SAFE_INTEGER) : []
    database.close()
    return rows
  }

  /** Finds what was acknowledged since the last look. */
  #look(): void {
    const { epoch, acked } = this.disk.standing()
    const from = epoch === this.#seen.epoch ? this.#seen.acked : 0
    this.#seen = { epoch, acked }
    if (acked > from) this.#parts.acknowledged(this.till, epoch, this.disk.rows(from, acked))
  }
}
