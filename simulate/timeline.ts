import { createHash, type Hash } from 'node:crypto'

/** Something that will happen. */
interface Happening {
  readonly at: number
  /** Of two in the same moment, the one that was set first. */
  readonly order: number
  readonly label: string
  run: (() => void) | undefined
}

/** The first moment of every world. */
const BEGIN = Date.UTC(2026, 0, 5, 8)
const HASH_BYTES = 65_536

/**
 * The time of a world: a queue of what will happen, and nothing else. Each happening is a step; between two, all promises that can be kept
 * are. No real time passes in it, so that the same seed takes the same steps.
 */
export class Timeline {
  /** Milliseconds since 1970, with a fraction. */
  now: number = BEGIN
  /** Steps taken so far. */
  step = 0
  readonly #queue: Happening[] = []
  readonly #hash: Hash = createHash('sha256')
  #text = ''
  readonly #trace: ((line: string) => void) | undefined
  #orders = 0
  #failure: { readonly cause: unknown } | undefined

  constructor(trace?: (line: string) => void) {
    this.#trace = trace
  }

  /** Lets something happen after a while; the answer takes it back. */
  after(ms: number, label: string, run: () => void): () => void {
    const happening: Happening = { at: this.now + Math.max(0, ms), order: this.#orders++, label, run }
    this.#push(happening)
    return () => {
      happening.run = undefined
    }
  }

  /** Notes what came to pass: it counts in the hash of the run, and is shown by a trace. */
  note(what: string): void {
    this.#text += what
    this.#text += '\n'
    if (this.#text.length > HASH_BYTES) this.#fold()
    this.#trace?.(`${this.time} #${this.step} ${what}`)
  }

  /** The time of day, for people. */
  get time(): string {
    return new Date(this.now).toISOString().slice(5, 23).replace('T', ' ')
  }

  /** Ends the run with the step that is under way. */
  fail(cause: unknown): void {
    this.#failure ??= { cause }
  }

  /** Takes steps until a moment, or until `done` says so. @throws what failed */
  async run(until: number, done: () => boolean = () => false): Promise<void> {
    await turn()
    while (this.#failure === undefined && !done()) {
      const next = this.#queue[0]
      if (next === undefined || next.at > until) break
      this.#pop()
      if (next.run === undefined) continue
      this.now = next.at
      this.step++
      this.#text += `${this.step} ${next.label}\n`
      next.run()
      await turn()
    }
    if (this.#failure !== undefined) throw this.#failure.cause
    if (!done()) this.now = Math.max(this.now, until)
  }

  /** The hash of all that came to pass. */
  digest(last: Uint8Array): string {
    this.#fold()
    return this.#hash.copy().update(last).digest('hex').slice(0, 16)
  }

  #fold(): void {
    this.#hash.update(this.#text)
    this.#text = ''
  }

  #push(happening: Happening): void {
    const queue = this.#queue
    let index = queue.length
    queue.push(happening)
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!isBefore(happening, queue[parent] as Happening)) break
      queue[index] = queue[parent] as Happening
      index = parent
    }
    queue[index] = happening
  }

  #pop(): void {
    const queue = this.#queue
    const last = queue.pop() as Happening
    if (queue.length === 0) return
    let index = 0
    for (;;) {
      let child = index * 2 + 1
      if (child >= queue.length) break
      if (child + 1 < queue.length && isBefore(queue[child + 1] as Happening, queue[child] as Happening)) child++
      if (!isBefore(queue[child] as Happening, last)) break
      queue[index] = queue[child] as Happening
      index = child
    }
    queue[index] = last
  }
}

function isBefore(one: Happening, other: Happening): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order)
}

/** A turn of the event loop: when it has come, no promise is left that could be kept. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
