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
    const { clock, committer, ledger } = this.#parts
    this.#cancel = undefined
    // What is on its way to the log is recorded later than now, and ends what is due as well as a tick would; so does an earlier tick.
    committer.after(() => {
      if (this.#closed) return
      if (ledger.reservations.nextExpiry > clock.now()) this.#waitOn()
      else this.#server.post({ kind: 'tick', at: clock.now() }, () => this.#waitOn())
    })
  }

  /** It was further off than a timer reaches, or the clock was put back: the same one is still to come. Another one has been looked for. */
  #waitOn(): void {
    if (this.#cancel === undefined && !this.#closed && this.#parts.ledger.reservations.nextExpiry === this.#dueAt) this.#wait()
  }
}
