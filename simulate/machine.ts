import type { Clock } from '@tillwire/stock/testing'
import type { Timeline } from './timeline.ts'

/** How a machine goes: its system ends its connections for it, or it is gone without a word. */
export type Death = 'killed' | 'vanished'

/** A process on a machine of its own. Once it is dead nothing of it happens any more, whatever it had begun. */
export class Machine {
  readonly name: string
  readonly clock: Clock
  readonly timeline: Timeline
  /** How far its clock is off, in milliseconds. */
  skewMs: number
  #death: Death | undefined
  readonly #mourners: ((death: Death) => void)[] = []

  constructor(name: string, timeline: Timeline, skewMs = 0) {
    this.name = name
    this.timeline = timeline
    this.skewMs = skewMs
    this.clock = {
      now: () => Math.floor(timeline.now + this.skewMs),
      after: (ms, callback) => this.after(ms, 'timer', callback),
      soon: (callback) => void this.after(0, 'soon', callback),
    }
  }

  get alive(): boolean {
    return this.#death === undefined
  }

  /** Something that happens here, if it lives that long. */
  after(ms: number, label: string, run: () => void): () => void {
    return this.timeline.after(ms, `${this.name} ${label}`, () => {
      if (this.alive) run()
    })
  }

  /** Hears of its end. */
  mourn(mourner: (death: Death) => void): void {
    this.#mourners.push(mourner)
  }

  /** Ends it between two steps. */
  die(death: Death): void {
    if (this.#death !== undefined) return
    this.#death = death
    for (const mourner of this.#mourners.splice(0)) mourner(death)
  }
}
