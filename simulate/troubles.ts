import type { Trouble } from './habits.ts'
import type { Death } from './machine.ts'
import type { Random } from './random.ts'
import type { TillHost } from './till-host.ts'
import type { World } from './world.ts'

const CLONES_MAX = 2

/** Lets things go wrong in a world, those that it has drawn, until it is quiet. */
export class Troubles {
  readonly #world: World
  readonly #random: Random
  /** Older copies of outboxes, by machine. */
  readonly #copies = new Map<TillHost, Uint8Array>()
  #clones = 0

  constructor(world: World) {
    this.#world = world
    this.#random = world.random.fork()
    this.#next()
  }

  #next(): void {
    const { timeline, habits } = this.#world
    const drawn = [...habits.troubles].filter((trouble) => trouble in this.#ways)
    if (drawn.length === 0) return
    timeline.after(this.#random.wait(habits.troubleMs), 'trouble', () => {
      if (this.#world.quiet) return
      const trouble = this.#random.pick(drawn)
      timeline.note(`trouble: ${trouble}`)
      this.#ways[trouble]?.()
      this.#next()
    })
  }

  readonly #ways: Partial<Record<Trouble, () => void>> = {
    'disk full': () => {
      this.#world.disk.full = true
      this.#later(60_000, 'there is room on the disk', () => {
        this.#world.disk.full = false
      })
    },
    'writer lost': () => {
      this.#world.disk.loses = true
    },
    'server crashes': () => {
      const [server] = this.#world.servers
      if (server !== undefined) this.#world.crashServer(server, this.#death())
    },
    'server stops': () => {
      const [server] = this.#world.servers
      if (server === undefined) return
      void server.stop(5_000).then(() => this.#world.gone(server))
    },
    'second server': () => {
      if (this.#world.servers.length === 1 && !this.#world.starting) this.#world.startServer()
    },
    'log set back': () => void this.#setBack().catch((error) => this.#world.timeline.fail(error)),
    'till crashes': () => {
      const host = this.#random.pick(this.#world.tills)
      host.crash(this.#death())
      this.#later(30_000, `${host.name} boots`, () => host.boot())
    },
    'power cuts': () => {
      const host = this.#random.pick(this.#world.tills)
      host.disk.powerCut = {
        commits: this.#random.below(4),
        when: this.#random.pick(['before', 'behind'] as const),
        happened: () => {
          this.#world.timeline.note(`${host.name} has no power`)
          host.crash('vanished')
          this.#later(30_000, `${host.name} boots`, () => host.boot())
        },
      }
    },
    'till disk full': () => {
      const { disk, name } = this.#random.pick(this.#world.tills)
      disk.full = true
      this.#later(60_000, `${name} has room on its disk`, () => {
        disk.full = false
      })
    },
    'till restored': () => {
      const host = this.#random.pick(this.#world.tills)
      const copy = this.#copies.get(host)
      const image = host.disk.copy()
      if (copy === undefined || this.#random.chance(0.4)) {
        if (image !== undefined) this.#copies.set(host, image)
        return
      }
      this.#world.timeline.note(`${host.name} goes back to an older outbox`)
      host.crash('killed')
      host.disk.setBack(copy)
      void this.#forgive()
      this.#later(5_000, `${host.name} boots`, () => host.boot())
    },
    'till cloned': () => {
      if (this.#clones >= CLONES_MAX) return
      const host = this.#random.pick(this.#world.tills)
      const image = host.disk.copy()
      if (image === undefined) return
      this.#clones++
      this.#world.addTill(host.till, `${host.till} clone ${this.#clones}`, host.skewMs, image)
    },
    'till taken over': () => {
      const host = this.#random.pick(this.#world.tills)
      host.crash('killed')
      this.#later(5_000, `${host.name} takes over`, () => host.boot({ takeOver: true }))
    },
    people: () => {
      const host = this.#random.pick(this.#world.tills)
      const { workload } = this.#world
      host.settleRefused(this.#random.chance(0.5) ? workload.document('S01', host.machine.clock.now()) : undefined)
    },
    offline: () => {
      const host = this.#random.pick(this.#world.tills)
      host.offline = true
      this.#world.network.cut(host.machine, this.#random.chance(0.5) ? 'silent' : 'reset')
      this.#later(1_200_000, `${host.name} has a line again`, () => {
        host.offline = false
      })
    },
  }

  /** The server is restored from an older backup of its log. */
  async #setBack(): Promise<void> {
    const world = this.#world
    const { log } = world.disk
    const to = Math.floor(log.head.number * (1 - this.#random.next() ** 2))
    world.timeline.note(`the log goes back from record ${log.head.number} to ${to}`)
    for (const server of [...world.servers]) world.crashServer(server, 'vanished')
    world.disk.log = log.copy(to)
    await world.oracle.logSetBack(log)
    await this.#forgive()
  }

  async #forgive(): Promise<void> {
    const { oracle, disk, timeline } = this.#world
    await oracle.forgive(disk.log, this.#world.retained()).catch((error) => timeline.fail(error))
  }

  #later(average: number, label: string, run: () => void): void {
    this.#world.timeline.after(this.#random.wait(average), label, run)
  }

  #death(): Death {
    return this.#random.chance(0.3) ? 'vanished' : 'killed'
  }
}
