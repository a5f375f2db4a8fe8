import { StockError } from '../errors.ts'
import { type Level, type LevelCursor, type LevelFilter, queryLevels } from '../ledger/index.ts'
import {
  type Ask,
  decodeCursor,
  encodeAnswer,
  encodeChange,
  encodeError,
  encodeEvent,
  encodeLevels,
  formatTime,
  type KnownCodes,
  type Question,
} from '../protocol/index.ts'
import type { Change, Watcher } from './audience.ts'
import type { SessionParts } from './session-parts.ts'

const NOBODY: ReadonlySet<string> = new Set()

/** The way out of a session, as its asks see it. */
export interface AskedSession {
  readonly congested: boolean
  send(line: string): boolean
}

/** What a session asks and watches. Answers are made when their turn comes: the ledger then holds what was said before, and no more. */
export class Asks implements Watcher {
  readonly #parts: SessionParts
  readonly #session: AskedSession
  readonly #inTurn: (line: () => string) => void
  readonly #lookUp: (line: () => Promise<string>) => void
  /** Watches that were asked for and not ended, by the number of their ask. */
  readonly #watched = new Set<number>()
  /** What ends the watches that were answered. */
  readonly #watches = new Map<number, () => void>()

  /**
   * @param inTurn - sends what it is given, made when everything that was said before is applied
   * @param lookUp - the same for what takes time: the session reads nothing more meanwhile
   */
  constructor(
    parts: SessionParts,
    session: AskedSession,
    inTurn: (line: () => string) => void,
    lookUp: (line: () => Promise<string>) => void,
  ) {
    this.#parts = parts
    this.#session = session
    this.#inTurn = inTurn
    this.#lookUp = lookUp
  }

  get congested(): boolean {
    return this.#session.congested
  }

  get levelsPerEventMax(): number {
    return this.#parts.limits.levelsPerEventMax
  }

  /** Takes one ask. @throws StockError `bad_field`, `too_many_watches`. */
  take(ask: Ask): void {
    switch (ask.of) {
      case 'time':
        return this.#inTurn(() => this.#nothingButTime(ask.id))
      case 'unwatch':
        this.#watched.delete(ask.watch)
        return this.#inTurn(() => {
          this.#watches.get(ask.watch)?.()
          this.#watches.delete(ask.watch)
          return this.#nothingButTime(ask.id)
        })
      case 'levels': {
        const { levelsPerAnswer, levelsPerAnswerMax } = this.#parts.limits
        const after = cursorOf(ask.after)
        const most = Math.min(ask.limit ?? levelsPerAnswer, levelsPerAnswerMax)
        return this.#inTurn(() => this.#levels(ask.id, ask.filter, most, after).line)
      }
      case 'known':
        return this.#inTurn(() => this.#known(ask.id, ask))
      case 'watch':
        return this.#watch(ask.id, ask.filter)
      case 'question':
        return this.#lookUp(() => this.#question(ask.id, ask.question))
    }
  }

  changed(watch: number, change: Change): void {
    change.text ??= encodeChange(this.#parts.ledger.position, this.#now(), change.levels)
    this.#session.send(encodeEvent(watch, change.text))
  }

  /** Ends every watch. */
  close(): void {
    for (const unwatch of this.#watches.values()) unwatch()
    this.#watches.clear()
  }

  #watch(id: number, filter: LevelFilter): void {
    const { limits, watches } = this.#parts
    if (this.#watched.size >= limits.watchesPerSessionMax) {
      throw new StockError('too_many_watches', `a session may have ${limits.watchesPerSessionMax} watches`)
    }
    if (this.#watched.has(id)) throw new StockError('bad_field', `ask ${id} is the number of a watch that goes on`, { field: 'ask' })
    this.#watched.add(id)
    this.#inTurn(() => {
      if (watches.count >= limits.watchesMax) {
        this.#watched.delete(id)
        const full = new StockError('too_many_watches', `all sessions together may have ${limits.watchesMax} watches`)
        return encodeError(full, { ask: id })
      }
      const { line, levels } = this.#levels(id, filter, limits.levelsPerAnswerMax)
      this.#watches.set(id, watches.add(this, id, filter, levels))
      return line
    })
  }

  /** A page of levels as the line of an answer: of at most so many levels, and no longer than a line may be. */
  #levels(id: number, filter: LevelFilter, most: number, after?: LevelCursor): { line: string; levels: readonly Level[] } {
    const { ledger, limits } = this.#parts
    for (let count = most; ; ) {
      const { levels, next } = queryLevels(ledger, filter, count, after)
      const line = encodeLevels(id, ledger.position, this.#now(), levels, next)
      if (levels.length <= 1 || Buffer.byteLength(line) <= limits.lineBytesMax) return { line, levels }
      count = levels.length >> 1
    }
  }

  async #question(id: number, question: Question): Promise<string> {
    const { desk, clock, connected } = this.#parts
    try {
      const { position, fields } = await desk.answer(question, clock.now(), question.of === 'tills' ? connected() : NOBODY)
      return encodeAnswer(id, position, this.#now(), fields)
    } catch (error) {
      if (error instanceof StockError) return encodeError(error, { ask: id })
      throw error
    }
  }

  /** Which of some codes the ledger knows: locations that are defined; items that are, by code or barcode; suppliers that an item has. */
  #known(id: number, { locations, items, suppliers }: KnownCodes): string {
    const { ledger } = this.#parts
    const known = {
      locations: locations.filter((code) => ledger.places.location(code) !== undefined),
      items: items.filter((code) => ledger.items.find(code)?.defined === true),
      ...(suppliers === undefined ? {} : { suppliers: this.#suppliersOf(suppliers) }),
    }
    return encodeAnswer(id, ledger.position, this.#now(), `"known":${JSON.stringify(known)}`)
  }

  #suppliersOf(asked: readonly string[]): string[] {
    const found = new Set<string>()
    if (asked.length > 0) for (const { supplier } of this.#parts.ledger.items.all()) found.add(supplier)
    return asked.filter((name) => found.has(name))
  }

  #nothingButTime(id: number): string {
    return encodeAnswer(id, this.#parts.ledger.position, this.#now())
  }

  #now(): string {
    return formatTime(this.#parts.clock.now())
  }
}

function cursorOf(after: string | undefined): LevelCursor | undefined {
  if (after === undefined) return undefined
  const cursor = decodeCursor(after)
  if (cursor === undefined)
    throw new StockError('bad_field', 'levels.after must be the `next` of an earlier answer', { field: 'levels.after' })
  return cursor
}
