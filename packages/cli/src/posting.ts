import type { Draft, Till } from '@tillwire/stock'
import { EXIT, Failure, oneLine } from './failure.ts'
import { Fingerprint, type InputDraft, type InputFormat, type KnownPart, READERS, type Source, withDefinitions } from './input/index.ts'

/** How to post an input. */
export interface PostingOptions {
  readonly format: InputFormat
  readonly location: string | undefined
  readonly define: boolean
  /** Tells the ways apart in which the same bytes can be posted. */
  readonly key: string
}

/** What was posted. Definitions that `--define` added are not counted. */
export interface PostingSummary {
  readonly transactions: number
  readonly lines: number
  readonly refused: number
  readonly flagged: number
  /** How many drafts of the input an earlier run had taken in. */
  readonly before: number
}

/** What the outbox notes of an input, in the same step as its transactions. */
interface InputNote extends KnownPart {
  readonly path: string
  /** Drafts taken in so far. */
  readonly drafts: number
  /** The number before its first transaction in the outbox. */
  readonly since: number
  /** The time that its transactions without one have: the same in every run. */
  readonly now: number
}

/** Drafts that become durable in one step. */
const STEP = 500
/** Drafts that may wait in the outbox before more are read: the disk is no place for a whole input twice. */
const AHEAD = 20_000

/** Takes an input into a till's outbox once, however often it is begun. */
export class Posting {
  readonly #till: Till
  readonly #source: Source
  readonly #options: PostingOptions
  #drafts = 0
  #transactions = 0
  #lines = 0
  #before = 0
  #since = 0
  #note: InputNote | undefined

  constructor(till: Till, source: Source, options: PostingOptions) {
    this.#till = till
    this.#source = source
    this.#options = options
  }

  /** Drafts of the input, definitions included. Known after {@link check}. */
  get size(): number {
    return this.#drafts
  }

  /** How many of them are durable at the server when the till stands at `acked`. */
  done(acked: number): number {
    return Math.max(0, Math.min(this.#drafts, acked - this.#since))
  }

  /** Reads the whole input once: finds what is wrong with it before anything is taken, and what of it was taken before. */
  async check(): Promise<void> {
    const known = this.#till.notes(this.#prefix).map(({ value }) => JSON.parse(value) as InputNote)
    const print = new Fingerprint(known.map(({ bytes }) => bytes))
    for await (const { draft, added } of this.#read(print.pass(this.#source.read()), Date.now())) {
      this.#drafts++
      if (added) continue
      this.#transactions++
      if ('lines' in draft) this.#lines += draft.lines.length
    }
    const digest = print.digest()
    const same = known.find((note) => note.digest === digest && note.bytes === print.bytes)
    const grown = known.filter((note) => note.path === this.#source.path && print.beginsWith(note)).sort((a, b) => b.bytes - a.bytes)[0]
    const earlier = same ?? grown
    this.#before = earlier?.drafts ?? 0
    this.#since = earlier?.since ?? this.#till.last
    this.#note = {
      path: this.#source.path,
      bytes: print.bytes,
      digest,
      drafts: this.#before,
      since: this.#since,
      now: earlier?.now ?? Date.now(),
    }
  }

  /** Takes in what was not taken before, and waits until the server has it all. */
  async run(stop: AbortSignal): Promise<PostingSummary> {
    let note = this.#note as InputNote
    let index = 0
    let step: Draft[] = []
    const take = (): void => {
      note = { ...note, drafts: note.drafts + step.length }
      this.#till.postAll(step, { key: `${this.#prefix}${note.digest}`, value: JSON.stringify(note) })
      step = []
    }
    for await (const { draft } of this.#read(this.#source.read(), note.now)) {
      if (stop.aborted) break
      if (index++ < this.#before) continue
      step.push(draft)
      if (step.length < STEP) continue
      take()
      await this.#till.settled(AHEAD)
    }
    if (step.length > 0 && !stop.aborted) take()
    await this.#till.settled()
    const { refused, flagged } = this.#till.totals(this.#since)
    return { transactions: this.#transactions, lines: this.#lines, refused, flagged, before: this.#before }
  }

  /** The first refused transactions of this input. */
  refused(most: number): ReturnType<Till['refused']> {
    return this.#till.refused(this.#since, most)
  }

  get #prefix(): string {
    return `input ${this.#options.key} `
  }

  async *#read(chunks: AsyncIterable<Buffer>, now: number): AsyncGenerator<InputDraft, void, undefined> {
    const { format, location, define } = this.#options
    const drafts = READERS[format](chunks, { location, now })
    let line = 0
    try {
      for await (const read of define ? withDefinitions(drafts) : drafts) {
        line = read.line
        this.#till.check(read.draft)
        yield read
      }
    } catch (error) {
      const where = error instanceof Failure ? '' : `line ${line}: `
      throw new Failure(`${this.#source.name}: ${where}${oneLine(error)}`, EXIT.usage)
    }
  }
}
