import { TIMER_MS_MAX } from '../clock.ts'
import type { ServerTill } from './server-till.ts'
import type { SessionsParts } from './session-parts.ts'

/**
 * Reservations expire by the time of what is recorded. Where one is due and nobody posts anything, the server itself does: one `tick`,
 * however long the log refuses it.
 */
export class Ticker {
  readonly #parts: Pick<SessionsParts, 'ledger' | 'committer' | 'clock'>
  readonly #server: ServerTill
  #dueAt = Number.POSITIVE_INFINITY
  #cancel: (() => void) | undefined
  #ticking = false
  #closed = false

  constructor(parts: Pick<SessionsParts, 'ledger' | 'committer' | 'clock'>, server: ServerTill) {
    this.#parts = parts
    this.#server = server
  }

  /** Looks when the next reservation expires: at the start, and whenever something was applied. */
  look(): void {
    const { nextExpiry } = this.#parts.ledger.reservations
    if (this.#closed || nextExpiry === this.#dueAt) return
    this.#cancel?.()
    this.#cancel = undefined
    this.#dueAt = nextExpiry
    if (nextExpiry < Number.POSITIVE_INFINITY) this.#wait()
  }

  close(): void {
    this.#closed = true
    this.#cancel?.()
  }

  #wait(): void {
    const { clock } = this.#parts
    const ms = Math.min(Math.max(this.#dueAt - clock.now(), 0), TIMER_MS_MAX)
    this.#cancel = clock.after(ms, () => this.#woken())
  }

  #woken(): void {
    const { clock, committer } = this.#parts
    this.#cancel = undefined
    if (clock.now() < this.#dueAt) {
      this.#wait() // further off than a timer reaches, or the clock was put back
      return
    }
    if (this.#ticking) return
    this.#ticking = true
    // What is on its way to the log is recorded later than now, and ends what is due as well as a tick would.
    committer.after(() => {
      const { reservations } = this.#parts.ledger
      if (this.#closed || reservations.nextExpiry > clock.now()) this.#ticked()
      else this.#server.post({ kind: 'tick', at: clock.now() }, () => this.#ticked())
    })
  }

  #ticked(): void {
    this.#ticking = false
    this.#dueAt = Number.POSITIVE_INFINITY
    this.look()
  }
}
