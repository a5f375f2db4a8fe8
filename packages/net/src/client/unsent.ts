/** Where a connection stands, in bytes of its way out. */
interface SendingLine {
  readonly positions: { readonly left: number; readonly end: number }
  writable(): Promise<void>
  flushed(): Promise<void>
}

interface Entry<Out> {
  readonly message: Out
  /** The position behind the message. */
  readonly end: number
  /** Its sender hears of its fate. */
  told: boolean
}

/** The messages of one connection that have perhaps not left. As bounded as the connection's own queue. */
export class Unsent<Out> {
  readonly #line: SendingLine
  #entries: Entry<Out>[] = []
  #watching = false

  constructor(line: SendingLine) {
    this.#line = line
  }

  /** A message was sent; resolves when there is room for the next one. */
  async sent(message: Out, room: boolean): Promise<void> {
    this.#forgetLeft()
    const entry = { message, end: this.#line.positions.end, told: !room }
    this.#entries.push(entry)
    if (!this.#watching) {
      this.#watching = true
      queueMicrotask(() => this.#watch()) // behind the flush of this turn, which gathers small messages
    }
    if (room) return
    await this.#line.writable()
    entry.told = false
  }

  /** Those whose senders do not hear of it otherwise. */
  get messages(): readonly Out[] {
    return this.#entries.filter((entry) => !entry.told).map((entry) => entry.message)
  }

  /** A rejection is the end of the line: what is here then stays. */
  #watch(): void {
    this.#line.flushed().then(
      () => {
        this.#forgetLeft()
        this.#watching = this.#entries.length > 0
        if (this.#watching) this.#watch()
      },
      () => {},
    )
  }

  #forgetLeft(): void {
    const { left } = this.#line.positions
    const kept = this.#entries.findIndex((entry) => entry.end > left)
    if (kept !== 0) this.#entries = kept < 0 ? [] : this.#entries.slice(kept)
  }
}
