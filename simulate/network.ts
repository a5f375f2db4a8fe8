import { type DialOptions, type Endpoint, formatEndpoint, type Link, type ListenOptions, NetError, type Transport } from '@tillwire/net'
import type { Machine } from './machine.ts'
import type { Random } from './random.ts'
import { type Break, type Travel, Wire } from './wire.ts'

interface Place {
  readonly machine: Machine
  readonly options: ListenOptions
}

/** What the lines of a world are like. */
export interface LineHabits {
  /** The usual way from one end to the other, in milliseconds. */
  readonly latencyMs: number
  /** How often bytes arrive in odd pieces. */
  readonly splits: number
  /** A line breaks every so often on average, in milliseconds; Infinity: never. */
  readonly breaksMs: number
  /** Bytes that one direction holds between the ends. */
  readonly bufferBytes: number
}

/** The network of a world: streams between machines, with the ways of TCP, and lines that break. */
export class Network {
  readonly #random: Random
  readonly #places = new Map<string, Place[]>()
  readonly #wires = new Set<Wire>()
  habits: LineHabits

  constructor(random: Random, habits: LineHabits) {
    this.#random = random
    this.habits = habits
  }

  /** The network as a machine sees it; while it is not `connected`, nobody answers. */
  of(machine: Machine, connected: () => boolean = () => true): Transport {
    return {
      dial: (endpoint, options) => this.#dial(machine, endpoint, options, connected),
      listen: async (endpoint, options) => {
        const name = formatEndpoint(endpoint)
        const place = { machine, options }
        const free = (): void =>
          void this.#places.set(
            name,
            this.#at(name).filter((other) => other !== place),
          )
        // The newest one comes first: an older one that is still there has lost the address.
        this.#places.set(name, [place, ...this.#at(name)])
        machine.mourn(free)
        return { endpoint, close: async () => free() }
      },
    }
  }

  /** Breaks every line of a machine. */
  cut(machine: Machine, how: Break): void {
    for (const wire of this.#wires) if (wire.touches(machine)) wire.break(how)
  }

  #at(name: string): readonly Place[] {
    return this.#places.get(name) ?? []
  }

  /** Whoever listens there; where two do, mostly the newer one. */
  #reach(name: string): Place | undefined {
    const places = this.#at(name)
    return places.length > 1 && this.#random.chance(0.3) ? places[1] : places[0]
  }

  #dial(machine: Machine, endpoint: Endpoint, { signal, limits, clock }: DialOptions, connected: () => boolean): Promise<Link> {
    const name = formatEndpoint(endpoint)
    return new Promise((resolve, reject) => {
      const fail = (error: NetError): void => {
        stop()
        reject(error)
      }
      const aborted = (): void => fail(new NetError('aborted', `${name}: the caller gave up`, signal?.reason))
      const late = clock.after(limits.connectMs, () => fail(new NetError('connect_timeout', `${name}: nobody answers`)))
      const cancel = machine.after(this.#latency() * 2, 'dial', () => {
        if (!connected()) return
        const place = this.#reach(name)
        if (place === undefined) return fail(new NetError('connect_refused', `${name}: nobody listens on the endpoint`))
        stop()
        resolve(this.#connect(machine, place))
      })
      const stop = (): void => {
        cancel()
        late.close()
        signal?.removeEventListener('abort', aborted)
      }
      if (signal?.aborted) return aborted()
      signal?.addEventListener('abort', aborted)
    })
  }

  #connect(machine: Machine, place: Place): Link {
    const travel: Travel = {
      latency: () => this.#latency(),
      split: (bytes) => (bytes > 1 && this.#random.chance(this.habits.splits) ? this.#random.between(1, bytes - 1) : bytes),
      bufferBytes: this.habits.bufferBytes,
    }
    const wire: Wire = new Wire(machine, place.machine, travel, () => this.#wires.delete(wire))
    this.#wires.add(wire)
    for (const end of [machine, place.machine]) end.mourn((death) => wire.break(death === 'killed' ? 'reset' : 'silent'))
    if (this.habits.breaksMs < Number.POSITIVE_INFINITY) {
      const how = this.#random.pick(['reset', 'silent', 'stall'] as const)
      machine.timeline.after(this.#random.wait(this.habits.breaksMs), `${machine.name} line ${how}`, () => {
        if (this.habits.breaksMs === Number.POSITIVE_INFINITY) return // all has healed meanwhile
        if (how === 'stall') wire.stall(this.#random.wait(20_000))
        else wire.break(how)
      })
    }
    place.options.accept(wire.far)
    return wire.near
  }

  #latency(): number {
    const { latencyMs } = this.habits
    return latencyMs * (0.5 + this.#random.next()) * (this.#random.chance(0.02) ? 50 : 1)
  }
}
