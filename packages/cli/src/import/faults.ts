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
  readonly #files: string[] = []
  #count = 0

  /** The rows of this file are looked at: its faults are shown behind those of the files before it. */
  begin(file: string): void {
    this.#files.push(file)
  }

  get count(): number {
    return this.#count
  }

  add({ file, line }: Place, text: string): void {
    if (this.#count++ < FAULTS_SHOWN) this.#shown.push({ file, line, text })
  }

  /** A line for each, by file and line. */
  lines(): string[] {
    const order = (file: string): number => this.#files.indexOf(file)
    const sorted = [...this.#shown].sort((a, b) => order(a.file) - order(b.file) || a.line - b.line)
    const rest = this.#count - this.#shown.length
    return [...sorted.map(({ file, line, text }) => `${file}: line ${line}: ${text}`), ...(rest > 0 ? [`and ${rest} more`] : [])]
  }
}
