const NONE = Buffer.alloc(0)

/**
 * What has come of a message that is not whole yet. One growing piece, not a list of chunks: a message that comes a byte at a
 * time costs its bytes, not an object for each. The room grows with what came, at most to its double, never with what was promised.
 */
export class HeldBytes {
  #bytes: Buffer = NONE
  #length = 0

  get length(): number {
    return this.#length
  }

  /**
   * Copies, so that a short rest does not keep the whole chunk that it was cut from in memory.
   * @param most - how many bytes this can become: room is made ahead only up to there
   */
  append(bytes: Buffer, most: number): void {
    const need = this.#length + bytes.length
    if (need > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(need, Math.min(this.#bytes.length * 2, most)))
      this.#bytes.copy(grown, 0, 0, this.#length)
      this.#bytes = grown
    }
    bytes.copy(this.#bytes, this.#length)
    this.#length = need
  }

  /** What is held, as a view: valid until the next {@link append}. */
  view(): Buffer {
    return this.#bytes.subarray(0, this.#length)
  }

  /** Hands over what is held, and holds nothing any more. */
  take(): Buffer {
    const taken = this.view()
    this.#bytes = NONE
    this.#length = 0
    return taken
  }
}
