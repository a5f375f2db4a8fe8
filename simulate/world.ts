import { DEFAULT_STOCK_LIMITS, type StockLimits } from '@tillwire/stock'
import { type CoreReport, stockLimitsFrom } from '@tillwire/stock/testing'
import { Buyer, type Told, Watcher } from './client.ts'
import { Disk } from './disk.ts'
import { drawHabits, GOOD_LINES, type Habits } from './habits.ts'
import type { Death } from './machine.ts'
import { Network } from './network.ts'
import { keyOf, Oracle } from './oracle.ts'
import type { HeldRow } from './outbox-disk.ts'
import { Random } from './random.ts'
import { ServerHost } from './server-host.ts'
import { TillHost, type TillParts } from './till-host.ts'
import { Timeline } from './timeline.ts'
import { Violation } from './violation.ts'
import { Workload } from './workload.ts'

const STORES = ['S01', 'S02', 'S03']
/** A clock may be off so far, in milliseconds. */
const SKEW_MS = 600_000
/** A person looks at a till that was fenced after so long on average, in milliseconds. */
const PERSON_MS = 120_000

/** A chain of stores, its server and its lines: everything real but time, chance, lines and disks. */
export class World {
  readonly random: Random
  readonly timeline: Timeline
  readonly habits: Habits
  readonly network: Network
  readonly disk: Disk
  readonly oracle: Oracle = new Oracle()
  readonly limits: StockLimits
  readonly tills: TillHost[] = []
  readonly watchers: Watcher[] = []
  readonly buyer: Buyer
  readonly workload: Workload
  /** Those that run, the newest first. */
  servers: ServerHost[] = []
  /** A server is about to be started. */
  starting = false
  /** Nobody posts any more, and nothing goes wrong. */
  quiet = false
  #lives = 0

  constructor(seed: number, trace?: (line: string) => void) {
    this.random = new Random(seed)
    this.timeline = new Timeline(trace)
    this.habits = drawHabits(this.random.fork())
    const { habits, timeline } = this
    timeline.note(`a world of ${habits.tills} tills; ${[...habits.troubles].join(', ') || 'no troubles'}`)
    this.limits = stockLimitsFrom({ ...DEFAULT_STOCK_LIMITS, ...habits.limits })
    this.network = new Network(this.random.fork(), habits.lines)
    this.disk = new Disk(this.random.fork(), (batch) => {
      timeline.note(this.oracle.written(batch))
    })
    this.disk.writeMs = habits.diskMs
    this.workload = new Workload(this.random.fork())
    this.startServer()
    const skews = this.random.fork()
    for (let number = 0; number < habits.tills; number++) {
      const till = number === 0 ? 'HQ' : `${STORES[number % STORES.length]}/T${number}`
      this.addTill(till, till, habits.troubles.has('skewed clocks') ? skews.between(-SKEW_MS, SKEW_MS) : 0)
    }
    const clients = { timeline, network: this.network, random: this.random.fork() }
    const told = (what: Told): void => this.oracle.told(what)
    this.watchers.push(new Watcher('watcher 1', clients, {}, told), new Watcher('watcher 2', clients, { within: 'S01' }, told))
    this.buyer = new Buyer(
      'purchasing',
      clients,
      () => this.workload.question(),
      (heard) => this.oracle.answered(heard),
    )
  }

  addTill(till: string, name: string, skewMs: number, image?: Uint8Array): TillHost {
    const parts: TillParts = {
      timeline: this.timeline,
      network: this.network,
      random: this.random.fork(),
      limits: this.limits,
      acknowledged: (name_, epoch, rows) => {
        this.timeline.note(`${name} has ${rows.at(-1)?.wire} of epoch ${epoch} acknowledged`)
        this.oracle.acknowledged(name_, rows)
      },
      changed: (host) => this.#changed(host),
    }
    const host = new TillHost(till, name, parts, skewMs, image)
    this.tills.push(host)
    host.boot()
    if (till === 'HQ' && image === undefined) {
      this.timeline.after(1, `${name} opens the books`, () => host.post(this.workload.opening(host.machine.clock.now())))
    }
    this.#postNext(host)
    return host
  }

  /** Starts a server on the log as it is. */
  startServer(): void {
    const name = `server ${++this.#lives}`
    const host = new ServerHost(name, {
      timeline: this.timeline,
      network: this.network,
      disk: this.disk,
      limits: this.limits,
      reported: (server, report) => this.#reported(server, report),
    })
    this.starting = false
    this.servers.unshift(host)
    this.timeline.note(`${name} starts at position ${this.disk.log.head.next - 1}`)
    host.start().catch((error) => this.timeline.fail(error))
  }

  /** Starts a server after a while, where none is on its way. */
  startLater(): void {
    if (this.starting) return
    this.starting = true
    this.timeline.after(this.random.wait(20_000), 'a server is started', () => this.startServer())
  }

  /** Takes a server away, and looks whether what it held is what the log says. */
  crashServer(host: ServerHost, death: Death): void {
    if (!host.machine.alive) return
    this.timeline.note(`${host.machine.name} is ${death} at position ${host.ledger.position}`)
    host.crash(death)
    this.gone(host)
  }

  /** A server has ended. */
  gone(host: ServerHost): void {
    this.servers = this.servers.filter((server) => server !== host)
    this.oracle.compare(host.ledger, this.disk.log).catch((error) => this.timeline.fail(error))
    if (this.servers.length === 0) this.startLater()
  }

  /** What the tills hold, by till and id. */
  retained(): Map<string, HeldRow> {
    const held = new Map<string, HeldRow>()
    for (const host of this.tills) for (const row of host.rows()) held.set(keyOf(host.till, row.line), row)
    return held
  }

  #reported(server: ServerHost, report: CoreReport): void {
    this.timeline.note(`${server.machine.name} reports ${report.event}${'reason' in report ? `: ${report.reason}` : ''}`)
    if (report.event === 'fault') this.timeline.fail(report.error)
    if (report.event !== 'log_broken') return
    // Nothing mends it but another start: a person does that.
    this.timeline.after(this.random.wait(5_000), `${server.machine.name} is ended`, () => this.crashServer(server, 'killed'))
  }

  #changed(host: TillHost): void {
    const { status } = host
    if (status?.line !== 'fenced' || this.quiet) return
    if (status.reason?.code !== 'epoch_fenced') throw new Violation(`${host.name} is fenced: ${status.reason?.message}`)
    this.timeline.note(`${host.name} is fenced`)
    this.timeline.after(this.random.wait(PERSON_MS), `${host.name} is looked at`, () => {
      if (this.quiet || host.status?.line !== 'fenced') return
      host.crash('killed')
      host.boot({ takeOver: true })
    })
  }

  #postNext(host: TillHost): void {
    const { random, habits } = this
    this.timeline.after(random.wait(habits.postMs), `${host.name} posts`, () => {
      if (this.quiet) return
      const store = host.till === 'HQ' ? random.pick(STORES) : host.till.slice(0, 3)
      const burst = random.chance(0.05) ? random.between(2, 30) : 1
      const now = host.machine.clock.now()
      host.post(Array.from({ length: burst }, () => this.workload.document(store, now)))
      this.#postNext(host)
    })
  }

  /** Everything heals: lines hold, disks have room. */
  heal(): void {
    this.quiet = true
    this.network.habits = GOOD_LINES
    this.disk.full = false
    this.disk.loses = false
    this.disk.writeMs = 2
    for (const host of this.tills) {
      host.disk.full = false
      host.disk.powerCut = undefined
    }
  }
}
