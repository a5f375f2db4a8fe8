/** Refused transactions whose lines are noted. */
const NOTED_MAX = 1_000

interface Step {
  /** The number in the outbox before the first one. */
  readonly after: number
  readonly lines: Uint32Array
}

/** On which line of an input the transactions stand that were taken from it in this run, until it is known what became of them. */
export class InputLines {
  #steps: Step[] = []
  readonly #refused = new Map<number, number>()

  /** Neighbours in the outbox were taken from these lines. */
  took(after: number, lines: readonly number[]): void {
    this.#steps.push({ after, lines: Uint32Array.from(lines) })
  }

  /** The server has refused one. */
  refused(seq: number): void {
    if (this.#refused.size >= NOTED_MAX) return
    const step = this.#steps.find(({ after, lines }) => seq > after && seq <= after + lines.length)
    if (step !== undefined) this.#refused.set(seq, step.lines[seq - step.after - 1] as number)
  }

  /** What became of all up to a number is known. */
  forget(acked: number): void {
    const first = this.#steps.findIndex(({ after, lines }) => after + lines.length > acked)
    this.#steps.splice(0, first < 0 ? this.#steps.length : first)
  }

  /** The line of a refused one; undefined where it is not known. */
  of(seq: number): number | undefined {
    return this.#refused.get(seq)
  }
}
