/** Gives every event a turn of the event loop of its own, and knows when there is none left. */
export class Turns {
  #coming = 0

  /** Runs something on the next turn, or so many turns later. */
  next(run: () => void, later = 0): void {
    this.#coming++
    setImmediate(() => {
      this.#coming--
      if (later > 0) this.next(run, later - 1)
      else run()
    })
  }

  /** Resolves when nothing is coming, nor was set off by what came last. */
  async quiet(): Promise<void> {
    do await new Promise((resolve) => setImmediate(resolve))
    while (this.#coming > 0)
  }
}
