import { StockError } from '../errors.ts'
import type { DeskLimits } from './desk/desk.ts'
import type { Follower } from './follower.ts'
import type { AskRequest, ProjectionReply } from './projection-messages.ts'
import type { Turns } from './turns.ts'

/** A question that takes longer lets others have their turn, and the tables follow meanwhile. */
const TURN_MS = 25
/** Those that wait have as much time together as the commit before them took, up to this: under load a look that takes long would never end. */
const TURNS_MS = 250

/** What bounds the answers. */
export interface AskLimits {
  readonly recallBytesMax: number
  readonly earlierIdsMax: number
  /** Of a question of purchasing. */
  readonly answers: DeskLimits
}

interface Ask {
  readonly request: AskRequest
  /** Once it was begun. */
  work: Turns<unknown> | undefined
}

/** What the tables are asked, and have not answered yet: each waits until they have reached its position, and is then answered in turns. */
export class Asks {
  readonly #limits: AskLimits
  readonly #say: (reply: ProjectionReply) => void
  readonly #now: () => number
  #waiting: Ask[] = []

  /** @param now - milliseconds, of any beginning */
  constructor(limits: AskLimits, say: (reply: ProjectionReply) => void, now: () => number = () => performance.now()) {
    this.#limits = limits
    this.#say = say
    this.#now = now
  }

  /** Whether anybody waits for an answer. */
  get waits(): boolean {
    return this.#waiting.length > 0
  }

  /** Takes a question, and gives it its first turn at once. */
  add(request: AskRequest, from: Follower): void {
    const ask: Ask = { request, work: undefined }
    if (request.position > from.position || !this.#turn(ask, from, TURN_MS)) this.#waiting.push(ask)
  }

  /** Nobody waits for this answer any more. */
  forget(id: number): void {
    this.#waiting = this.#waiting.filter(({ request }) => request.id !== id)
  }

  /**
   * Gives a turn to each that asks about positions which the tables have reached. Answers whether some need another one.
   *
   * @param took - how long the tables have just followed, in milliseconds
   */
  turn(from: Follower, took: number = 0): boolean {
    const each = Math.max(TURN_MS, Math.min(took, TURNS_MS) / this.#waiting.length)
    let unfinished = false
    this.#waiting = this.#waiting.filter((ask) => {
      if (ask.request.position > from.position) return true
      const isDone = this.#turn(ask, from, each)
      unfinished ||= !isDone
      return !isDone
    })
    return unfinished
  }

  /** The tables were loaded anew: what was begun with the old ones begins again. */
  beginAgain(): void {
    for (const ask of this.#waiting) ask.work = undefined
  }

  /** Whether it has been answered. */
  #turn(ask: Ask, from: Follower, ms: number): boolean {
    const { id } = ask.request
    const until = this.#now() + ms
    try {
      ask.work ??= this.#answer(from, ask.request.asked)
      for (;;) {
        const { done, value } = ask.work.next()
        if (done === true) this.#say({ type: 'answered', id, answer: value })
        if (done === true || this.#now() > until) return done === true
      }
    } catch (error) {
      if (isDamage(error)) this.#say({ type: 'damaged', message: (error as Error).message })
      const { code, field } = error instanceof StockError ? error : { code: 'internal' as const, field: undefined }
      this.#say({ type: 'unanswered', id, code, message: (error as Error).message, ...(field === undefined ? {} : { field }) })
      return true
    }
  }

  *#answer(from: Follower, asked: AskRequest['asked']): Turns<unknown> {
    const { lookups, desk } = from
    switch (asked.of) {
      case 'recall':
        return lookups.recall(asked.till, asked.epoch, asked.from, asked.to, this.#limits.recallBytesMax)
      case 'recallAt':
        return lookups.recallAt(asked.position)
      case 'earlierIds':
        return lookups.earlierIds(asked.till, asked.epoch, asked.since, this.#limits.earlierIdsMax)
      case 'sale':
        return lookups.sale(asked.till, asked.id)
      case 'movedSince':
        return yield* lookups.movedSince(asked.levels, asked.at, asked.transactionsMax)
      case 'question': {
        const { position } = from
        const fields = yield* desk.answer(asked.question, asked.now, asked.connected, this.#limits.answers)
        // What shrank is added up to where it began; all else says what is so at the end.
        return { position: asked.question.of === 'shrink' ? position : from.position, fields }
      }
    }
  }
}

/** Trying again mends nothing. */
export function isDamage(error: unknown): boolean {
  return error instanceof StockError && error.code === 'log_damaged'
}
