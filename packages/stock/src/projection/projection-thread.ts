import { setPriority } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { StockError } from '../errors.ts'
import { Follower } from './follower.ts'
import type { ProjectionReply, ProjectionRequest } from './projection-messages.ts'

/** What the thread is started with. */
export interface ProjectionThreadData {
  readonly log: string
  readonly path: string
  readonly transactionsMax: number
  /** Time between two commits. */
  readonly everyMs: number
  /** Pause after a commit failed. */
  readonly retryMs: number
  /** On closing, how long it catches up with the log. */
  readonly closeMs: number
}

const port = parentPort
if (port === null) throw new Error('projection-thread.ts runs as a thread')
const { log, path, transactionsMax, everyMs, retryMs, closeMs } = workerData as ProjectionThreadData
const say = (reply: ProjectionReply): void => port.postMessage(reply)

yieldToServer()
const follower = open()
const recalls: Extract<ProjectionRequest, { type: 'recall' }>[] = []
let running = false
let again = false
let closeBy: number | undefined

port.on('message', (request: ProjectionRequest) => {
  if (request.type === 'recall') {
    recalls.push(request)
    if (follower !== undefined) answerRecalls(follower)
  }
  if (request.type === 'close') closeBy = Date.now() + closeMs
  again = true
  void run()
})

function open(): Follower | undefined {
  try {
    const opened = new Follower(log, path, transactionsMax)
    say({ type: 'open', position: opened.position })
    return opened
  } catch (error) {
    say({ type: 'failed', code: error instanceof StockError ? error.code : 'data_unusable', message: (error as Error).message })
    port?.close()
    return undefined
  }
}

/** Follows until the end of the log, answers what was asked, and rests. */
async function run(): Promise<void> {
  if (running || follower === undefined) return
  running = true
  while (again) {
    again = false
    try {
      while (follower.step()) {
        if (closeBy !== undefined && Date.now() > closeBy) break // the rest is replayed at the next start
        answerRecalls(follower)
        await sleep(0) // lets messages in
      }
      answerRecalls(follower)
      say({ type: 'at', position: follower.position })
    } catch (error) {
      if (isDamage(error)) return say({ type: 'damaged', message: (error as Error).message }) // trying again mends nothing
      say({ type: 'trouble', message: (error as Error).message })
      if (closeBy !== undefined) break
      again = true
      await sleep(retryMs)
    }
    if (closeBy === undefined) await sleep(everyMs)
  }
  running = false
  if (closeBy === undefined) return
  follower.close()
  port?.close()
}

function isDamage(error: unknown): boolean {
  return error instanceof StockError && error.code === 'log_damaged'
}

function answerRecalls(from: Follower): void {
  while (recalls[0] !== undefined && recalls[0].position <= from.position) {
    const { id, till, epoch, from: first, to } = recalls.shift() as (typeof recalls)[number]
    try {
      say({ type: 'recalled', id, rows: from.recall(till, epoch, first, to) })
    } catch (error) {
      if (isDamage(error)) say({ type: 'damaged', message: (error as Error).message })
      say({ type: 'unrecalled', id, message: (error as Error).message })
    }
  }
}

/** The tables may lag a moment; the tills may not. On Linux a thread has a priority of its own. */
function yieldToServer(): void {
  if (process.platform !== 'linux') return
  try {
    setPriority(10)
  } catch {
    // not allowed here: the thread runs like any other
  }
}
