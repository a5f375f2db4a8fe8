import type { StockLimits } from '@tillwire/stock'
import { type Archive, type CoreReport, Ledger, MemoryArchive, replayRecord, StockCore } from '@tillwire/stock/testing'
import type { Disk } from './disk.ts'
import { type Death, Machine } from './machine.ts'
import type { Network } from './network.ts'
import type { Timeline } from './timeline.ts'

export const SERVER = 'tcp://server:7000'

/** What a server is started on. */
export interface ServerParts {
  readonly timeline: Timeline
  readonly network: Network
  readonly disk: Disk
  readonly limits: StockLimits
  readonly reported: (server: ServerHost, report: CoreReport) => void
}

/** One life of the stock server, from its start to its end. */
export class ServerHost {
  readonly machine: Machine
  readonly ledger: Ledger = new Ledger()
  readonly #parts: ServerParts
  #archive: MemoryArchive | undefined
  #core: StockCore | undefined

  constructor(name: string, parts: ServerParts) {
    this.#parts = parts
    this.machine = new Machine(name, parts.timeline)
  }

  /** Recovers and listens. */
  async start(): Promise<void> {
    const { disk, limits, network, reported } = this.#parts
    const { machine, ledger } = this
    const log = disk.open(machine)
    for await (const record of log.read(1)) replayRecord(ledger, record)
    // As one that loads its tables: what moved before is looked up.
    ledger.journal.beginBehind(ledger.position, ledger.recorded, () => 1)
    ledger.journal.leaveEarlier()
    const archive = new MemoryArchive(log, limits)
    this.#archive = archive
    this.#core = await StockCore.open({
      name: machine.name,
      log,
      ledger,
      archive,
      // Purchasing's own questions are answered from tables on a disk, which are not in this world.
      desk: { answer: () => Promise.reject(new Error('nobody asks the desk')) },
      clock: machine.clock,
      limits,
      listen: [SERVER],
      transport: network.of(machine),
      applied: () => {},
      report: (report) => {
        if (machine.alive) reported(this, report)
      },
    })
  }

  get archive(): Archive | undefined {
    return this.#archive
  }

  get trouble(): string | undefined {
    return this.#core?.trouble?.code
  }

  /** Ends it politely. */
  async stop(within: number): Promise<void> {
    await this.#core?.close({ within })
    this.machine.die('killed')
  }

  crash(death: Death): void {
    this.machine.die(death)
  }
}
