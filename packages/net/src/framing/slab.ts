/**
 * A growing piece of bytes that messages are encoded into one behind the other, so that many small messages leave
 * in one write.
 */
export class Slab {
  #bytes: Buffer
  #length = 0

  constructor(bytes: number) {
    this.#bytes = Buffer.allocUnsafeSlow(bytes)
  }

  /** Bytes written since the last {@link clear}. */
  get length(): number {
    return this.#length
  }

  /** Bytes that fit before the slab must grow. */
  get capacity(): number {
    return this.#bytes.length
  }

  /** Appends text as UTF-8. */
  text(text: string): void {
    if (typeof text !== 'string') throw new TypeError(`a text is a string, not ${typeof text}`)
    this.#reserve(text.length * 3) // the most that UTF-16 code units can become
    this.#length += this.#bytes.write(text, this.#length)
  }

  /** Appends bytes. */
  raw(bytes: Uint8Array): void {
    if (!(bytes instanceof Uint8Array)) throw new TypeError(`bytes are a Uint8Array, not ${typeof bytes}`)
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }

  /** Appends one byte. */
  byte(value: number): void {
    this.#reserve(1)
    this.#bytes[this.#length++] = value
  }

  /** What has been written, as a view: valid until the next call that writes. */
  view(): Buffer {
    return this.#bytes.subarray(0, this.#length)
  }

  /** Takes back what was written behind the first `length` bytes: half a message would spoil those that follow it. */
  truncate(length: number): void {
    if (!(length >= 0 && length <= this.#length)) throw new RangeError(`a slab of ${this.#length} bytes has no first ${length}`)
    this.#length = length
  }

  /** Forgets what was written and keeps the room. */
  clear(): void {
    this.#length = 0
  }

  #reserve(bytes: number): void {
    const need = this.#length + bytes
    if (need <= this.#bytes.length) return
    const grown = Buffer.allocUnsafeSlow(Math.max(need, this.#bytes.length * 2))
    this.#bytes.copy(grown, 0, 0, this.#length)
    this.#bytes = grown
  }
}
