/** Where a row stands. */
export interface Place {
  readonly file: string
  /** From 1, the header included. */
  readonly line: number
}

/** So many faults are shown; the rest are counted. */
const FAULTS_SHOWN = 1_000

/** What is wrong with the rows of an import. */
export class Faults {
  readonly #shown: (Place & { readonly text: string })[] = []
  #count = 0

  get count(): number {
    return this.#count
  }

  add({ file, line }: Place, text: string): void {
    if (this.#count++ < FAULTS_SHOWN) this.#shown.push({ file, line, text })
  }

  /** A line for each, by file and line. */
  lines(): string[] {
    const files = [...new Set(this.#shown.map(({ file }) => file))]
    const sorted = [...this.#shown].sort((a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line)
    const rest = this.#count - this.#shown.length
    return [...sorted.map(({ file, line, text }) => `${file}: line ${line}: ${text}`), ...(rest > 0 ? [`and ${rest} more`] : [])]
  }
}
