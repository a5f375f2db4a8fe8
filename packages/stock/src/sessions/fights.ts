import type { SessionsParts } from './session-parts.ts'

interface Fight {
  /** When the first replacement of the window was. */
  readonly since: number
  times: number
}

/** Finds tills of one name that keep replacing each other, as two machines do that both believe to be it. */
export class Fights {
  readonly #parts: Pick<SessionsParts, 'clock' | 'limits' | 'tillsFighting'>
  readonly #fights = new Map<string, Fight>()
  #swept = 0

  constructor(parts: Pick<SessionsParts, 'clock' | 'limits' | 'tillsFighting'>) {
    this.#parts = parts
  }

  /** A connection of this till has replaced another that was still there. Tells of it once a window. */
  replaced(till: string): void {
    const { clock, limits, tillsFighting } = this.#parts
    const now = clock.now()
    this.#sweep(now)
    let fight = this.#fights.get(till)
    if (fight === undefined || this.#isOver(fight, now)) {
      fight = { since: now, times: 0 }
      this.#fights.set(till, fight)
    }
    if (++fight.times === limits.fightReplacementsMin) tillsFighting(till, fight.times)
  }

  /** Forgets what is over, once a window. */
  #sweep(now: number): void {
    if (now >= this.#swept && now - this.#swept < this.#parts.limits.fightMs) return
    this.#swept = now
    for (const [till, fight] of this.#fights) if (this.#isOver(fight, now)) this.#fights.delete(till)
  }

  #isOver({ since }: Fight, now: number): boolean {
    return now < since || now - since >= this.#parts.limits.fightMs
  }
}
