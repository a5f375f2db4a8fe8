import { setPriority } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { isLogDamaged, StockError } from '../errors.ts'
import { type AskLimits, Asks } from './asks.ts'
import { Follower } from './follower.ts'
import type { ProjectionReply, ProjectionRequest } from './projection-messages.ts'

/** What the thread is started with. */
export interface ProjectionThreadData extends AskLimits {
  readonly log: string
  readonly path: string
  readonly transactionsMax: number
  readonly segmentMovements: number
  /** The shortest time between two commits. */
  readonly everyMs: number
  /** Pause after a commit failed. */
  readonly retryMs: number
  /** On closing, how long it catches up with the log. */
  readonly closeMs: number
}

const port = parentPort
if (port === null) throw new Error('projection-thread.ts runs as a thread')
const { log, path, transactionsMax, segmentMovements, everyMs, retryMs, closeMs, ...limits } = workerData as ProjectionThreadData
const say = (reply: ProjectionReply): void => port.postMessage(reply)
/** Ends the pause between two commits: somebody waits for the tables. */
let wake = (): void => {}

/** After so many milliseconds the thread yields to the server although it has not caught up: under such a load it may not for long. */
const YIELDS_AFTER_MS = 5_000

/** A try to write the tables is put off for so many milliseconds while somebody has an answer coming from them as they are. */
const PUT_OFF_MS = 10_000

/** A rest is so many times as long as it took to catch up before it, and at most so many times the shortest one. */
const RESTS = 8
const RESTS_MAX = 20

const follower = open()
const asks = new Asks(limits, say)
let running = false
let again = false
let readsAhead = true
/** How long it took to catch up the last time, in milliseconds. */
let took = 0
let closeBy: number | undefined
let yields = false

port.on('message', (request: ProjectionRequest) => {
  if (request.type === 'ask') {
    if (follower !== undefined) asks.add(request, follower)
    if (!asks.waits) return
  }
  if (request.type === 'forget') return asks.forget(request.id)
  if (request.type === 'close') closeBy = Date.now() + closeMs
  again = true
  wake()
  void run()
})

function open(): Follower | undefined {
  try {
    const opened = new Follower(log, path, transactionsMax, segmentMovements)
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
      const began = performance.now()
      let before = began
      while (follower.step()) {
        const stepped = performance.now() - before
        took = performance.now() - began
        if (performance.now() > YIELDS_AFTER_MS) yieldToServer() // counted from the start of the thread
        if (isLate()) break // the rest is replayed at the next start
        asks.turn(follower, stepped)
        await sleep(0) // lets messages in
        before = performance.now()
      }
      const isUnfinished = !isLate() && asks.turn(follower) && closeBy === undefined
      say({ type: 'at', position: follower.position })
      yieldToServer()
      if (isUnfinished) {
        again = true
        await sleep(0)
      }
    } catch (error) {
      asks.beginAgain()
      const damaged = isLogDamaged(error)
      say({ type: damaged ? 'damaged' : 'trouble', message: (error as Error).message })
      if (damaged || closeBy !== undefined) break
      again = true
      await answerFor(retryMs, follower)
    }
    await readAhead(follower)
    if (isIdle()) await pause(Math.min(Math.max(everyMs, took * RESTS), everyMs * RESTS_MAX))
  }
  running = false
  if (closeBy === undefined) return
  follower.close()
  port?.close()
}

/** The tables can be read, though they cannot be written: the next try would begin anew what somebody waits for, and is put off for that. */
async function answerFor(ms: number, from: Follower): Promise<void> {
  const began = performance.now()
  while (closeBy === undefined) {
    const helps = asks.turn(from)
    const passed = performance.now() - began
    if (passed >= (helps ? ms + PUT_OFF_MS : ms)) return
    await (helps ? sleep(0) : pause(ms - passed))
  }
}

/** Whether it is closing, and has had its time. */
function isLate(): boolean {
  return closeBy !== undefined && Date.now() > closeBy
}

function isIdle(): boolean {
  return closeBy === undefined && !asks.waits
}

/** While there is nothing else to do, so that the first question after a start need not wait for it. */
async function readAhead(from: Follower): Promise<void> {
  if (!readsAhead) return
  try {
    while (!again && isIdle() && from.readAhead(Date.now())) await sleep(0)
  } catch (error) {
    readsAhead = false // whoever asks for it hears of it
    say({ type: 'trouble', message: (error as Error).message })
  }
}

/**
 * The time between two commits, or two tries; it ends early when somebody waits, or on closing. A level is written once a commit, however often it moved: under
 * load a longer rest makes for fewer writes, and so leaves the disk to the log.
 */
async function pause(ms: number): Promise<void> {
  const woken = new AbortController()
  wake = () => (asks.waits || closeBy !== undefined) && woken.abort()
  await sleep(ms, undefined, { signal: woken.signal }).catch(() => {})
  wake = () => {}
}

/**
 * The tables may lag a moment; the tills may not. On Linux a thread has a priority of its own. Not before it has caught up once, or
 * for some seconds has not: what the tables lack the next start replays, and a server that dies again and again would start later each time.
 */
function yieldToServer(): void {
  if (yields || process.platform !== 'linux') return
  yields = true
  try {
    setPriority(10)
  } catch {
    // not allowed here: the thread runs like any other
  }
}
