/** Code units of text that wait to be encoded, at most. */
const TEXT_HELD = 4096

/**
 * A growing piece of bytes that messages are encoded into one behind the other, so that many small messages leave
 * in one write.
 */
export class Slab {
  #bytes: Buffer
  #length = 0
  /** Text that is encoded together: one call into the platform for each message would cost more than all the rest of sending it. */
  #text = ''
  #markLength = 0
  #markText = ''

  constructor(bytes: number) {
    this.#bytes = Buffer.allocUnsafeSlow(bytes)
  }

  /** Bytes written since the last {@link clear}; text that waits to be encoded counts a byte a code unit, until {@link view}. */
  get length(): number {
    return this.#length + this.#text.length
  }

  /** Bytes that fit before the slab must grow. */
  get capacity(): number {
    return this.#bytes.length
  }

  /** Appends text as UTF-8. */
  text(text: string): void {
    if (typeof text !== 'string') throw new TypeError(`a text is a string, not ${typeof text}`)
    if (this.#text.length + text.length <= TEXT_HELD) {
      this.#text += text
    } else {
      this.#encode()
      this.#write(text)
    }
  }

  /** Appends bytes. */
  raw(bytes: Uint8Array): void {
    if (!(bytes instanceof Uint8Array)) throw new TypeError(`bytes are a Uint8Array, not ${typeof bytes}`)
    if (this.#text !== '') this.#encode()
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }

  /** Appends one byte. */
  byte(value: number): void {
    if (this.#text !== '') this.#encode()
    this.#reserve(1)
    this.#bytes[this.#length++] = value
  }

  /** What has been written, as a view: valid until the next call that writes. */
  view(): Buffer {
    this.#markText = ''
    if (this.#text !== '') this.#encode()
    return this.#bytes.subarray(0, this.#length)
  }

  /** A message begins: {@link undo} takes back what is written of it. */
  begin(): void {
    this.#markLength = this.#length
    this.#markText = this.#text
  }

  /** Takes back what was written since {@link begin}: half a message would spoil those that follow it. */
  undo(): void {
    this.#length = this.#markLength
    this.#text = this.#markText
  }

  /** Forgets what was written and keeps the room. */
  clear(): void {
    this.#length = 0
    this.#text = ''
    this.#markLength = 0
    this.#markText = ''
  }

  /** What was there when a message began stays where {@link undo} finds it. */
  #encode(): void {
    const [text, before] = [this.#text, this.#markText]
    this.#text = ''
    if (before === '') return this.#write(text)
    this.#write(before)
    this.#markLength = this.#length
    this.#markText = ''
    this.#write(text.slice(before.length))
  }

  #write(text: string): void {
    this.#reserve(text.length * 3) // the most that UTF-16 code units can become
    this.#length += this.#bytes.write(text, this.#length)
  }

  #reserve(bytes: number): void {
    const need = this.#length + bytes
    if (need <= this.#bytes.length) return
    const grown = Buffer.allocUnsafeSlow(Math.max(need, this.#bytes.length * 2))
    this.#bytes.copy(grown, 0, 0, this.#length)
    this.#bytes = grown
  }
}
