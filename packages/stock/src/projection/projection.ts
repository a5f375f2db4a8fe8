import { setTimeout as sleep } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'
import { StockError } from '../errors.ts'
import type { FoundSale, FoundSince } from '../ledger/index.ts'
import type { StockLimits } from '../limits.ts'
import type { Question } from '../protocol/index.ts'
import type { Archive, EarlierIds, LevelName, QuestionDesk, Recalled } from '../sessions/index.ts'
import { startThread } from '../start-thread.ts'
import type { AskRequest, ProjectionReply, ProjectionRequest } from './projection-messages.ts'
import type { ProjectionThreadData } from './projection-thread.ts'

/** What stands in an answer's line beside its rows, at most. */
const ANSWER_HEAD_BYTES = 512

interface Waiting {
  resolve(answer: unknown): void
  reject(error: StockError): void
}

/** The files of the log, and of the tables that are made from it. */
export interface ProjectionPaths {
  readonly log: string
  readonly ledger: string
}

/** Who is told what befalls the tables and the log that they are made from. */
export interface ProjectionHears {
  /** Why the tables cannot be written, or that their thread has died; it is tried again. */
  readonly trouble: (message: string) => void
  /** A record of the log is not what was written; the message names its position. */
  readonly damaged: (message: string) => void
}

/** The tables of `ledger.db`, kept a moment behind the log by a thread of their own; also the sessions' long memory. */
export class Projection implements Archive, QuestionDesk {
  readonly #data: ProjectionThreadData
  readonly #hears: ProjectionHears
  readonly #position: () => number
  readonly #questionMs: number
  readonly #lookupMs: number
  readonly #waiting = new Map<number, Waiting>()
  readonly #closing = new AbortController()
  /** Undefined before the thread has opened the tables, and while it has died and is not yet started again. */
  #worker: Worker | undefined
  /** Resolves when the first thread has opened them, or has failed to. */
  #opening: Promise<void> | undefined
  #restarting: Promise<void> | undefined
  #nextAsk = 1
  #told = false
  #lastTrouble: string | undefined

  private constructor(paths: ProjectionPaths, limits: StockLimits, position: () => number, hears: ProjectionHears) {
    this.#data = dataFor(paths, limits)
    this.#questionMs = limits.questionMs
    this.#lookupMs = limits.lookupMs
    this.#position = position
    this.#hears = hears
  }

  /**
   * Opens the tables and begins to follow the log.
   *
   * @param position - the position that the server's ledger is at
   * @throws (rejects) StockError `data_unusable`.
   */
  static async open(paths: ProjectionPaths, limits: StockLimits, position: () => number, hears: ProjectionHears): Promise<Projection> {
    const projection = new Projection(paths, limits, position, hears)
    projection.#attach(await start(projection.#data))
    return projection
  }

  /** The same where somebody has seen that they can be opened: nobody waits for it but who asks. What goes wrong all the same is told as trouble. */
  static openBehind(paths: ProjectionPaths, limits: StockLimits, position: () => number, hears: ProjectionHears): Projection {
    const projection = new Projection(paths, limits, position, hears)
    projection.#opening = projection.#openBehind()
    return projection
  }

  /** The log has grown. Told once until the thread has caught up, so that it costs the server nothing. */
  follow(): void {
    if (this.#told || this.#worker === undefined) return
    this.#told = true
    this.#worker.postMessage({ type: 'follow' } satisfies ProjectionRequest)
  }

  recall(till: string, epoch: number, from: number, to: number): Promise<readonly Recalled[]> {
    return this.#ask({ of: 'recall', till, epoch, from, to })
  }

  recallAt(position: number): Promise<Recalled> {
    return this.#ask({ of: 'recallAt', position })
  }

  earlierIds(till: string, epoch: number, since: number): Promise<EarlierIds> {
    return this.#ask({ of: 'earlierIds', till, epoch, since })
  }

  sale(till: string, id: string): Promise<FoundSale | null> {
    return this.#ask({ of: 'sale', till, id })
  }

  movedSince(levels: readonly LevelName[], at: number, transactionsMax: number): Promise<FoundSince | null> {
    return this.#ask({ of: 'movedSince', levels, at, transactionsMax })
  }

  /** @throws (rejects) StockError `tables_unavailable`, `bad_field`. */
  answer(question: Question, now: number, connected: ReadonlySet<string>): Promise<{ readonly position: number; readonly fields: string }> {
    return this.#ask({ of: 'question', question, now, connected }, this.#questionMs)
  }

  /** Catches up with the log and closes. */
  async close(): Promise<void> {
    this.#closing.abort()
    await this.#opening
    await this.#restarting
    const worker = this.#worker
    if (worker === undefined) return
    const exited = new Promise((resolve) => worker.once('exit', resolve))
    worker.postMessage({ type: 'close' } satisfies ProjectionRequest)
    await exited
  }

  /** @param within - milliseconds to wait for the answer, once the tables have been opened */
  #ask<T>(asked: AskRequest['asked'], within: number = this.#lookupMs): Promise<T> {
    if (this.#opening !== undefined) return this.#opening.then(() => this.#ask(asked, within))
    const worker = this.#worker
    if (worker === undefined) return Promise.reject(new StockError('tables_unavailable', 'the thread of the projection has stopped'))
    return new Promise((resolve, reject) => {
      const id = this.#nextAsk++
      const late = setTimeout(() => this.#forget(id), within)
      const ended =
        <Args extends unknown[]>(how: (...args: Args) => void) =>
        (...args: Args): void => {
          clearTimeout(late)
          how(...args)
        }
      this.#waiting.set(id, { resolve: ended(resolve as Waiting['resolve']), reject: ended(reject) })
      worker.postMessage({ type: 'ask', id, position: this.#position(), asked } satisfies ProjectionRequest)
    })
  }

  /** A question took too long: nobody waits for it any more. */
  #forget(id: number): void {
    this.#worker?.postMessage({ type: 'forget', id } satisfies ProjectionRequest)
    this.#waiting.get(id)?.reject(new StockError('tables_unavailable', 'the tables could not answer in time; ask again later'))
    this.#waiting.delete(id)
  }

  async #openBehind(): Promise<void> {
    try {
      this.#attach(await start(this.#data))
      this.follow()
    } catch (error) {
      this.#say((error as Error).message)
      this.#restarting = this.#restart()
    } finally {
      this.#opening = undefined
    }
  }

  #attach(worker: Worker): void {
    let reason = ''
    worker.on('message', (reply: ProjectionReply) => this.#replied(reply))
    worker.on('error', (error) => (reason = `: ${String(error)}`))
    worker.on('exit', () => this.#exited(`the thread of the projection has stopped${reason}`))
    this.#worker = worker
    this.#told = false
  }

  #replied(reply: ProjectionReply): void {
    if (reply.type === 'at') {
      this.#lastTrouble = undefined
      this.#told = false
      if (this.#position() > reply.position) this.follow()
    } else if (reply.type === 'answered') {
      this.#waiting.get(reply.id)?.resolve(reply.answer)
      this.#waiting.delete(reply.id)
    } else if (reply.type === 'unanswered') {
      const { id, code, message, field } = reply
      this.#waiting.get(id)?.reject(new StockError(code, message, field === undefined ? {} : { field }))
      this.#waiting.delete(id)
    } else if (reply.type === 'trouble') {
      this.#say(reply.message)
    } else if (reply.type === 'damaged') {
      this.#hears.damaged(reply.message)
    }
  }

  #exited(message: string): void {
    this.#worker = undefined
    for (const { reject } of this.#waiting.values()) reject(new StockError('tables_unavailable', message))
    this.#waiting.clear()
    if (this.#closing.signal.aborted) return
    this.#say(message)
    this.#restarting = this.#restart()
  }

  /** Starts the thread again after a pause, as often as it takes; closing ends it. */
  async #restart(): Promise<void> {
    const { signal } = this.#closing
    while (!signal.aborted) {
      try {
        await sleep(this.#data.retryMs, undefined, { signal })
        this.#attach(await start(this.#data))
        this.#lastTrouble = undefined
        return this.follow()
      } catch (error) {
        if (!signal.aborted) this.#say((error as Error).message)
      }
    }
  }

  /** It is tried again and again: the same trouble is said once. */
  #say(trouble: string): void {
    if (trouble !== this.#lastTrouble) this.#hears.trouble(trouble)
    this.#lastTrouble = trouble
  }
}

function dataFor(paths: ProjectionPaths, limits: StockLimits): ProjectionThreadData {
  return {
    log: paths.log,
    path: paths.ledger,
    transactionsMax: limits.projectionTransactionsMax,
    segmentMovements: limits.segmentMovements,
    recallBytesMax: limits.recallBytesMax,
    earlierIdsMax: limits.earlierIdsMax,
    answers: {
      rowsPerAnswer: limits.levelsPerAnswer,
      rowsPerAnswerMax: limits.levelsPerAnswerMax,
      bytesMax: limits.lineBytesMax - ANSWER_HEAD_BYTES,
    },
    everyMs: limits.projectionMs,
    retryMs: limits.logRetryMs,
    closeMs: limits.projectionCloseMs,
  }
}

/** A thread that has opened the tables. */
async function start(data: ProjectionThreadData): Promise<Worker> {
  const { worker, first } = await startThread<ProjectionReply>(import.meta.url, 'projection-thread', data)
  if (first.type === 'open') return worker
  if (first.type === 'failed') throw new StockError(first.code, `${data.path}: ${first.message}`)
  throw new StockError('data_unusable', `${data.path}: ${first.type}`)
}
