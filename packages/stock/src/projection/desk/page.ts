/** One page of an answer, as text: so many rows, and no more bytes than fit into a line. */
export class Page {
  readonly #rowsMax: number
  readonly #bytesMax: number
  readonly #rows: string[] = []
  #bytes = 0
  #next: string | undefined

  constructor(rowsMax: number, bytesMax: number) {
    this.#rowsMax = rowsMax
    this.#bytesMax = bytesMax
  }

  /**
   * Takes a row; false when there is no room for it any more. The page then ends before it.
   *
   * @param cursor - where this row stands: the next page begins behind the last row that was taken
   */
  add(row: Readonly<Record<string, unknown>>, cursor: string): boolean {
    const text = JSON.stringify(row)
    const bytes = Buffer.byteLength(text) + 1
    if (this.#rows.length >= this.#rowsMax || (this.#rows.length > 0 && this.#bytes + bytes > this.#bytesMax)) {
      this.#next = this.#last
      return false
    }
    this.#rows.push(text)
    this.#bytes += bytes
    this.#last = cursor
    return true
  }

  /** Ends the page here, though there may be more: enough was looked at. */
  stop(cursor: string): void {
    this.#next = cursor
  }

  /** The fields of the answer. */
  text(more: Readonly<Record<string, unknown>> = {}): string {
    const fields = Object.entries(more).map(([name, value]) => `"${name}":${JSON.stringify(value)},`)
    const next = this.#next === undefined ? '' : `,"next":${JSON.stringify(this.#next)}`
    return `${fields.join('')}"rows":[${this.#rows.join(',')}]${next}`
  }

  #last: string | undefined
}

/** A cursor of two whole numbers; [-1, -1] where there is none. @throws RangeError for text that is none of ours. */
export function cursorOf(after: string | undefined): readonly [number, number] {
  if (after === undefined) return [-1, -1]
  const match = /^(\d{1,15})\.(\d{1,9})$/.exec(after)
  if (match === null) throw new RangeError('after must be the `next` of an earlier answer')
  return [Number(match[1]), Number(match[2])]
}
