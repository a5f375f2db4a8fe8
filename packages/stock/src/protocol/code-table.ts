/** Codes kept at hand: more than a chain sells most of the time. */
const SLOTS = 65_536
/** A code stands in one of so many neighbours; where all are taken, the new one takes the first one's place. */
const PROBES = 4
/** The longest text that is a code. */
const CODE_BYTES_MAX = 64

/** Whether a byte stands for itself inside a JSON text (1): ASCII without control characters, the quote and the backslash. */
export const PLAIN: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c ? 1 : 0,
)
const QUOTE = 0x22

/**
 * The texts of codes by their bytes. The same few codes come all the time. A text made anew for each has to be hashed by the ledger's
 * maps: an item is then found in 0.14 µs, and in 0.05 µs by a text from here, which has its hash already and is no garbage. The bytes are
 * compared, whatever their hash is: codes that are made to collide put one another out, and cost no more than a text each.
 *
 * It takes 5 MB, and as much again for the longest texts.
 */
export class CodeTable {
  readonly #keys = new Uint8Array(SLOTS * CODE_BYTES_MAX)
  readonly #lengths = new Uint8Array(SLOTS)
  readonly #texts = new Array<string>(SLOTS).fill('')

  /**
   * The text of 1 to 64 plain bytes from `start` up to a quote; undefined where anything else stands there.
   */
  read(block: Buffer, start: number): string | undefined {
    let hash = 0
    let end = start
    for (let byte = block[end] as number; PLAIN[byte] === 1; byte = block[++end] as number) hash = Math.imul(hash ^ byte, 0x01000193)
    const length = end - start
    if (block[end] !== QUOTE || length === 0 || length > CODE_BYTES_MAX) return undefined
    const first = (hash ^ (hash >>> 16)) & (SLOTS - 1)
    for (let probe = 0; probe < PROBES; probe++) {
      const slot = (first + probe) & (SLOTS - 1)
      if (this.#lengths[slot] === 0) return this.#put(slot, block, start, end)
      if (this.#lengths[slot] === length && this.#holds(slot, block, start, length)) return this.#texts[slot]
    }
    return this.#put(first, block, start, end)
  }

  #holds(slot: number, block: Buffer, start: number, length: number): boolean {
    const keys = this.#keys
    const key = slot * CODE_BYTES_MAX
    for (let index = 0; index < length; index++) if (keys[key + index] !== block[start + index]) return false
    return true
  }

  #put(slot: number, block: Buffer, start: number, end: number): string {
    const text = block.toString('latin1', start, end)
    block.copy(this.#keys, slot * CODE_BYTES_MAX, start, end)
    this.#lengths[slot] = end - start
    this.#texts[slot] = text
    return text
  }
}
