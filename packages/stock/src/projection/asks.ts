import { isLogDamaged, StockError } from '../errors.ts'
import type { DeskLimits } from './desk/desk.ts'
import type { Follower } from './follower.ts'
import type { AskRequest, ProjectionReply } from './projection-messages.ts'
import type { Turns } from './turns.ts'

/** A question that takes longer lets others have their turn, and the tables follow meanwhile. */
const TURN_MS = 25
/** The first turns between two commits begin within this time. */
const FIRST_TURNS_MS = 250
/** Behind a commit that took longer than a turn, those under way have as much time together, up to this: under load a look that takes long would never end. */
const LONG_TURN_MS = 250
/** So many of a kind, the tills' or purchasing's, are under way at a time, for each holds what it has read; others wait in line. */
const UNDER_WAY_MAX = 2

/** What bounds the answers. */
export interface AskLimits {
  readonly recallBytesMax: number
  readonly earlierIdsMax: number
  /** Of a question of purchasing. */
  readonly answers: DeskLimits
}

/** What is asked. */
export type AskedTables = Pick<Follower, 'position' | 'isUsable' | 'lookups' | 'desk'>

interface UnderWay {
  readonly request: AskRequest
  readonly work: Turns<unknown>
}

type Kind = 'till' | 'purchasing'

/**
 * What the tables are asked, and have not answered yet. Each waits until they have reached its position, and has a first turn then, in which most are
 * answered. Those that take longer wait in line until they are under way, and then take turns.
 */
export class Asks {
  readonly #limits: AskLimits
  readonly #say: (reply: ProjectionReply) => void
  readonly #now: () => number
  /** Have had no turn yet. */
  #coming: AskRequest[] = []
  readonly #inLine: Readonly<Record<Kind, AskRequest[]>> = { till: [], purchasing: [] }
  /** The one that had its turn last behind the others. */
  #underWay: UnderWay[] = []
  /** Milliseconds that are left for first turns. */
  #left = FIRST_TURNS_MS

  /** @param now - milliseconds, of any beginning */
  constructor(limits: AskLimits, say: (reply: ProjectionReply) => void, now: () => number = () => performance.now()) {
    this.#limits = limits
    this.#say = say
    this.#now = now
  }

  /** Whether anybody waits for an answer. */
  get waits(): boolean {
    return this.#coming.length + this.#inLine.till.length + this.#inLine.purchasing.length + this.#underWay.length > 0
  }

  /** Takes a question, and gives it its first turn at once, where there is time for one. */
  add(request: AskRequest, from: AskedTables): void {
    if (!this.#begins(request, from)) this.#coming.push(request)
  }

  /** Nobody waits for this answer any more. */
  forget(id: number): void {
    for (const waiting of [this.#coming, this.#inLine.till, this.#inLine.purchasing]) {
      const index = waiting.findIndex((request) => request.id === id)
      if (index >= 0) waiting.splice(index, 1)
    }
    const index = this.#underWay.findIndex(({ request }) => request.id === id)
    if (index >= 0) this.#underWay.splice(index, 1)[0]?.work.return(undefined) // a look that it has begun is kept
  }

  /**
   * Has those in line go on for whom there is room, gives first turns to those that ask about positions which the tables have reached, and a turn to one of
   * those under way. Answers whether another turn would help anybody.
   *
   * @param took - how long the tables have just followed, in milliseconds
   */
  turn(from: AskedTables, took: number = 0): boolean {
    if (!from.isUsable) return false
    this.#left = FIRST_TURNS_MS
    for (const kind of ['till', 'purchasing'] as const) {
      while (this.#hasRoom(kind)) {
        const request = this.#inLine[kind].shift()
        if (request === undefined) break
        this.#underWay.push({ request, work: this.#answer(from, request.asked) })
      }
    }
    this.#coming = this.#coming.filter((request) => !this.#begins(request, from))
    const next = this.#underWay.shift()
    if (next !== undefined && !this.#isAnswered(next, Math.max(TURN_MS, Math.min(took, LONG_TURN_MS)))) this.#underWay.push(next)
    // Who is in line has others under way before it.
    return this.#underWay.length > 0 || this.#coming.some(({ position }) => position <= from.position)
  }

  /** The tables were loaded anew: what was begun with the old ones begins again. */
  beginAgain(): void {
    for (const { request } of this.#underWay.splice(0).reverse()) this.#inLine[kindOf(request)].unshift(request)
  }

  /** Whether it has had its first turn. */
  #begins(request: AskRequest, from: AskedTables): boolean {
    if (!from.isUsable || request.position > from.position || this.#left <= 0) return false
    const began = this.#now()
    const begun = { request, work: this.#answer(from, request.asked) }
    if (!this.#isAnswered(begun, TURN_MS)) {
      const kind = kindOf(request)
      if (this.#hasRoom(kind) && this.#inLine[kind].length === 0) this.#underWay.push(begun)
      else {
        begun.work.return(undefined)
        this.#inLine[kind].push(request)
      }
    }
    this.#left -= this.#now() - began
    return true
  }

  #hasRoom(kind: Kind): boolean {
    return this.#underWay.filter(({ request }) => kindOf(request) === kind).length < UNDER_WAY_MAX
  }

  /** Gives a turn. */
  #isAnswered({ request: { id }, work }: UnderWay, ms: number): boolean {
    const until = this.#now() + ms
    try {
      for (;;) {
        const { done, value } = work.next()
        if (done === true) this.#say({ type: 'answered', id, answer: value })
        if (done === true || this.#now() > until) return done === true
      }
    } catch (error) {
      if (isLogDamaged(error)) this.#say({ type: 'damaged', message: (error as Error).message })
      const { code, field } = error instanceof StockError ? error : { code: 'internal' as const, field: undefined }
      this.#say({ type: 'unanswered', id, code, message: (error as Error).message, ...(field === undefined ? {} : { field }) })
      return true
    }
  }

  *#answer({ lookups, desk }: AskedTables, asked: AskRequest['asked']): Turns<unknown> {
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
      case 'question':
        return yield* desk.answer(asked.question, asked.now, asked.connected, this.#limits.answers)
    }
  }
}

function kindOf({ asked }: AskRequest): Kind {
  return asked.of === 'question' ? 'purchasing' : 'till'
}
