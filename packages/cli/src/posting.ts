import { createHash } from 'node:crypto'
import type { Draft, RefusedTransaction, Till, TransactionResult } from '@tillwire/stock'
import { delivered } from './delivery.ts'
import { EXIT, Failure, oneLine, printable } from './failure.ts'
import {
  draftFrom,
  Fingerprint,
  type InputDraft,
  type InputFormat,
  type KnownPart,
  policyNonsense,
  READERS,
  type Source,
  STANDARD_INPUT,
  sentIn,
  utf8,
  withDefinitions,
  wrongKind,
} from './input/index.ts'
import { InputLines } from './input-lines.ts'

/** How to post an input. */
export interface PostingOptions {
  readonly format: InputFormat
  readonly location: string | undefined
  /** Put a definition before the first use of a location or an item. */
  readonly define: boolean
  /** Post it although the same was posted before. */
  readonly again: boolean
}

/** What was posted. Definitions that `--define` added are not counted. */
export interface PostingSummary {
  readonly transactions: number
  readonly lines: number
  readonly refused: number
  readonly flagged: number
  /** How often each flag was said. */
  readonly flags: Readonly<Record<string, number>>
  /** How much of it an earlier run had taken in. */
  readonly before: 'nothing' | 'some' | 'all'
  /** The file whose content it is, where that was another one. */
  readonly beforeAs: string | undefined
  /** It went on behind where an earlier run was stopped. */
  readonly resumed: boolean
  /** How many that an earlier run saw refused were posted again, behind definitions. */
  readonly mended: number
  /** Whether the server was heard; where nothing waited it may not have been. */
  readonly reached: boolean
}

/** Numbers in the outbox: behind the first, up to and including the second. */
type Span = readonly [after: number, upTo: number]

/** What the outbox notes of an input, in the same step as its transactions. */
interface InputNote extends KnownPart {
  readonly path: string
  /** Drafts of the input that were taken in so far, without the definitions that were put before them. */
  readonly drafts: number
  /** The digest of the last of them. */
  readonly last: string
  /** Where they are in the outbox; other inputs may have come between. */
  readonly spans: readonly Span[]
  /** The time that its transactions without one have: the same in every run. */
  readonly now: number
  /** Definitions were put before them. */
  readonly define: boolean
  /** Of how many of its drafts the refused ones have been posted again, behind definitions. */
  readonly mended?: number
}

/** Something odd in the input. */
interface Odd {
  /** Of the draft. */
  readonly index: number
  readonly text: string
  /** No server takes it. */
  readonly isWrong: boolean
}

/** So many odd drafts are noted. */
const ODD_MAX = 1_000
/** Drafts that become durable in one step. */
const STEP = 500
/** Drafts that may wait in the outbox before more are read: the disk is no place for a whole input twice. */
const AHEAD = 20_000
/** Refused transactions are looked through in steps of this size. */
const REFUSED_ROWS = 1_000

/** Takes an input into a till's outbox once, however often it is begun. */
export class Posting {
  readonly #till: Till
  readonly #source: Source
  readonly #options: PostingOptions
  readonly #prefix: string
  #size = 0
  #drafts = 0
  #transactions = 0
  #lines = 0
  #note: InputNote | undefined
  readonly #taken = new InputLines()
  readonly #odd: Odd[] = []
  #beforeAs: string | undefined
  #resumed = false

  constructor(till: Till, source: Source, options: PostingOptions) {
    this.#till = till
    this.#source = source
    this.#options = options
    // The same bytes at another location, or read as another format, are another input.
    this.#prefix = `input ${JSON.stringify([options.format, options.location])} `
  }

  /** Drafts of the input, definitions included. Known after {@link check}. */
  get size(): number {
    return this.#size
  }

  /** How many of them are durable at the server when the till stands at `acked`. */
  done(acked: number): number {
    const spans = this.#note?.spans ?? []
    const taken = spans.reduce((sum, [after, upTo]) => sum + Math.max(0, Math.min(acked, upTo) - after), 0)
    return Math.min(this.#size, taken)
  }

  /** Reads the whole input once: finds what is wrong with it before anything is taken, and what of it was taken before. */
  async check(stop: AbortSignal): Promise<void> {
    const known = this.#till.notes(this.#prefix).map(({ value }) => JSON.parse(value) as InputNote) // what was written last comes last
    const print = new Fingerprint(known.map(({ bytes }) => bytes))
    for await (const { draft, added, line } of this.#read(print.pass(this.#source.read()), Date.now())) {
      if (stop.aborted) return
      this.#size++
      if (added === true) continue
      this.#look(draft, line)
      this.#drafts++
      this.#transactions++
      if ('lines' in draft) this.#lines += draft.lines.length
    }
    const digest = print.digest()
    const { path: name } = this.#source
    const isSame = (note: InputNote): boolean => note.digest === digest && note.bytes === print.bytes
    // Posted with --again, a copy has a note of its own: what is known under this very name goes first.
    const own = known.findLast((note) => isSame(note) && note.path === name)
    const grown = known.filter((note) => note.path === name && print.beginsWith(note)).sort((a, b) => b.bytes - a.bytes)[0]
    const fresh = { path: name, drafts: 0, last: '', spans: [], now: Date.now(), define: this.#options.define, mended: 0 }
    const same = own ?? (grown === undefined ? known.findLast(isSame) : undefined)
    if (this.#options.again && own !== undefined) this.#refuseUnfinished(own)
    const earlier = this.#options.again ? fresh : (same ?? grown ?? fresh)
    if (earlier === fresh && !this.#options.again) {
      const begins = known.filter((note) => note.drafts > 0 && print.beginsWith(note)).sort((a, b) => b.bytes - a.bytes)
      this.#refuseContinued(begins[0])
    }
    this.#refuseWrongKind(earlier.drafts)
    this.#beforeAs = earlier.drafts > 0 && earlier.path !== name ? nameOf(earlier) : undefined
    this.#resumed = earlier === same && same.path === name && same.drafts < this.#drafts
    // A copy that is not posted again is known by the name of the first, which goes on growing under it.
    this.#note = { ...earlier, path: earlier === same ? same.path : name, bytes: print.bytes, digest }
  }

  /** What is odd about what is posted now, though the server takes it; nothing before {@link check} has come to its end. */
  get oddities(): readonly string[] {
    const drafts = this.#note?.drafts ?? Number.POSITIVE_INFINITY
    return this.#odd.filter(({ index, isWrong }) => index >= drafts && !isWrong).map(({ text }) => text)
  }

  #look(draft: Draft, line: number): void {
    const wrong = wrongKind(draft)
    const what = wrong ?? (draft.kind === 'policy' ? policyNonsense(draft) : undefined)
    if (what === undefined || this.#odd.length === ODD_MAX) return
    this.#odd.push({ index: this.#drafts, text: `${this.#source.name}: line ${line}: ${what}`, isWrong: wrong !== undefined })
  }

  /** What an earlier run has taken is as it is. @throws Failure */
  #refuseWrongKind(before: number): void {
    const wrong = this.#odd.find(({ index, isWrong }) => isWrong && index >= before)
    if (wrong !== undefined) throw new Failure(wrong.text, EXIT.usage)
  }

  /** Takes in what was not taken before, and waits until the server has it all. */
  async run(stop: AbortSignal): Promise<PostingSummary> {
    const { drafts: before, last, now, define } = this.#note as InputNote
    let index = 0
    let step: Draft[] = []
    let own: Draft[] = []
    let from: number[] = []
    for await (const { draft, added, line } of this.#read(this.#source.read(), now)) {
      if (stop.aborted) break
      if (added === true) {
        if (define && index < before) continue
      } else if (index++ < before) {
        if (index === before && digestOf(draft) !== last) throw this.#changed(line)
        continue
      } else own.push(draft)
      step.push(draft)
      from.push(line)
      if (step.length < STEP) continue
      this.#take(step, own, from)
      step = []
      own = []
      from = []
      await this.#till.settled(AHEAD)
    }
    if (step.length > 0 && !stop.aborted) this.#take(step, own, from)
    const reached = await delivered(this.#till)
    const mended = stop.aborted ? 0 : await this.#mend(before)
    const totals = this.#totals()
    const earlier = before === 0 ? 'nothing' : before >= this.#drafts ? 'all' : 'some'
    const [transactions, lines, beforeAs, resumed] = [this.#transactions, this.#lines, this.#beforeAs, this.#resumed]
    return { transactions, lines, ...totals, before: earlier, beforeAs, resumed, mended, reached }
  }

  /** Hears what became of a transaction of the outbox. */
  heard({ seq, refused }: TransactionResult): void {
    if (refused !== undefined) this.#taken.refused(seq)
  }

  /** On which line of the input a refused transaction stands; undefined where that is not known any more. */
  lineOf(seq: number): number | undefined {
    return this.#taken.of(seq)
  }

  /** Whether a transaction of the outbox is of this input. */
  has(seq: number): boolean {
    return (this.#note?.spans ?? []).some(([after, upTo]) => seq > after && seq <= upTo)
  }

  /** The refused transactions of this input, in order. */
  *refused(): Generator<RefusedTransaction, void, undefined> {
    for (const row of this.#allRefused(this.#note?.spans ?? [])) if (!isKnownItem(row)) yield row
  }

  /** @param from - the line of each of the drafts */
  #take(drafts: readonly Draft[], own: readonly Draft[], from: readonly number[]): void {
    const note = this.#note as InputNote
    const last = own.at(-1)
    const after = this.#till.last
    this.#taken.forget(this.#till.acked)
    this.#taken.took(after, from)
    this.#keep(drafts, {
      ...note,
      drafts: note.drafts + own.length,
      last: last === undefined ? note.last : digestOf(last),
      spans: extended(note.spans, after, after + drafts.length),
      define: this.#options.define,
    })
  }

  #keep(drafts: readonly Draft[], note: InputNote): void {
    this.#till.postAll(drafts, { key: `${this.#prefix}${note.digest} ${note.path}`, value: JSON.stringify(note) })
    this.#note = note
  }

  /** What was refused in earlier runs for want of a location is posted again, once, now that it is defined. */
  async #mend(before: number): Promise<number> {
    const note = this.#note as InputNote
    if (!this.#options.define || (note.mended ?? 0) >= before) return 0
    let mended = 0
    let { spans } = note
    for (const { seq, line, refused } of this.#allRefused(note.spans)) {
      if (refused !== 'unknown_location') continue
      const after = this.#till.last
      spans = extended(spans, after, this.#till.replace(seq, draftFrom(sentIn(line), note.now)))
      if (++mended % STEP === 0) await this.#till.settled(AHEAD)
    }
    this.#keep([], { ...note, spans, mended: before })
    await this.#till.settled()
    return mended
  }

  #totals(): Pick<PostingSummary, 'refused' | 'flagged' | 'flags'> {
    const { spans } = this.#note as InputNote
    let refused = 0
    let flagged = 0
    const flags: Record<string, number> = {}
    for (const [after, upTo] of spans) {
      const [from, to] = [this.#till.totals(after), this.#till.totals(upTo)]
      refused += from.refused - to.refused
      flagged += from.flagged - to.flagged
      const later = this.#till.flags(upTo)
      for (const [flag, times] of Object.entries(this.#till.flags(after))) flags[flag] = (flags[flag] ?? 0) + times - (later[flag] ?? 0)
    }
    for (const row of this.#allRefused(spans)) if (isKnownItem(row)) refused--
    return { refused, flagged, flags }
  }

  *#allRefused(spans: readonly Span[]): Generator<RefusedTransaction, void, undefined> {
    for (const [after, upTo] of spans) {
      for (let seq = after; ; ) {
        const rows = this.#till.refused(seq, REFUSED_ROWS).filter((row) => row.seq <= upTo)
        yield* rows
        if (rows.length < REFUSED_ROWS) break
        seq = (rows.at(-1) as RefusedTransaction).seq
      }
    }
  }

  /** Under another name it may be the same file, or another day that began alike: a person knows. @throws Failure */
  #refuseContinued(earlier: InputNote | undefined): void {
    if (earlier === undefined) return
    const what = `${this.#source.name} begins with what was posted from ${nameOf(earlier)}, and goes on; nothing was posted`
    const onward = earlier.path === STANDARD_INPUT ? 'pipe it in again' : 'post it under that name'
    throw new Failure(`${what}: to go on behind it, ${onward}; to post all of it, say --again`, EXIT.usage)
  }

  /** Repeated as it was, a run with --again that was stopped would post once more what it had taken. @throws Failure */
  #refuseUnfinished({ drafts }: InputNote): void {
    if (drafts === 0 || drafts >= this.#drafts) return
    const what = `${this.#source.name}: a run was stopped after ${drafts} of ${this.#drafts} transactions; nothing was posted now`
    throw new Failure(`${what}: without --again it goes on, and once it is through --again posts all of it once more`, EXIT.usage)
  }

  #changed(line: number): Failure {
    const what = `${this.#source.name}: line ${line}: this is the last transaction that was posted before, and it has changed since`
    return new Failure(`${what}; put what is new into a file of its own`, EXIT.usage)
  }

  async *#read(chunks: AsyncIterable<Buffer>, now: number): AsyncGenerator<InputDraft, void, undefined> {
    const { format, location, define } = this.#options
    const drafts = READERS[format](utf8(chunks), { location, now })
    let line = 0
    try {
      for await (const read of define ? withDefinitions(drafts, now) : drafts) {
        line = read.line
        this.#till.check(read.draft)
        yield read
      }
    } catch (error) {
      const where = error instanceof Failure || line === 0 ? '' : `line ${line}: `
      throw new Failure(`${this.#source.name}: ${where}${oneLine(error)}`, EXIT.usage)
    }
  }
}

/** What an input was called, as it is shown. */
function nameOf({ path }: Pick<InputNote, 'path'>): string {
  return path === STANDARD_INPUT ? 'standard input' : printable(path)
}

/** Spans with one more behind them. */
function extended(spans: readonly Span[], after: number, upTo: number): Span[] {
  const last = spans.at(-1)
  return last?.[1] === after ? [...spans.slice(0, -1), [last[0], upTo]] : [...spans, [after, upTo]]
}

function digestOf(draft: Draft): string {
  return createHash('sha256').update(JSON.stringify(draft)).digest('base64')
}

/** A definition of ours that names an item by its barcode: the server knows it already, and that is all that was wanted. */
function isKnownItem({ line, refused }: RefusedTransaction): boolean {
  if (refused !== 'exists_with_different_content') return false
  const { seq: _seq, id: _id, at: _at, kind, item: _item, ...more } = JSON.parse(line) as Record<string, unknown>
  return kind === 'item' && Object.keys(more).length === 0
}
