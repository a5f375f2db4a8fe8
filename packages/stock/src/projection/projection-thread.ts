import { setPriority } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { StockError } from '../errors.ts'
import { ChainCheck } from './chain-check.ts'
import { Follower } from './follower.ts'
import type { AskRequest, Lookup, ProjectionReply, ProjectionRequest } from './projection-messages.ts'

/** What the thread is started with. */
export interface ProjectionThreadData {
  readonly log: string
  readonly path: string
  readonly transactionsMax: number
  readonly segmentMovements: number
  readonly recallBytesMax: number
  readonly earlierIdsMax: number
  /** Time between two commits. */
  readonly everyMs: number
  /** Pause after a commit failed. */
  readonly retryMs: number
  /** On closing, how long it catches up with the log. */
  readonly closeMs: number
  /** Whether the chain of the log is checked from its beginning, while there is nothing else to do. */
  readonly check: boolean
  /** How long the check goes on before it lets others in. */
  readonly checkSliceMs: number
}

const port = parentPort
if (port === null) throw new Error('projection-thread.ts runs as a thread')
const { log, path, transactionsMax, segmentMovements, everyMs, retryMs, closeMs, check, checkSliceMs, ...most } =
  workerData as ProjectionThreadData
const say = (reply: ProjectionReply): void => port.postMessage(reply)
/** Ends the pause between two commits: somebody waits for the tables. */
let wake = (): void => {}

yieldToServer()
const follower = open()
const waiting: AskRequest[] = []
const standsOn = follower?.position ?? 0
let checking = check && standsOn > 0
let running = false
let again = false
let closeBy: number | undefined

port.on('message', (request: ProjectionRequest) => {
  if (request.type === 'ask') {
    waiting.push(request)
    if (follower !== undefined) answerAll(follower)
    if (waiting.length === 0) return
  }
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
      while (follower.step()) {
        if (closeBy !== undefined && Date.now() > closeBy) break // the rest is replayed at the next start
        answerAll(follower)
        await sleep(0) // lets messages in
      }
      answerAll(follower)
      say({ type: 'at', position: follower.position })
    } catch (error) {
      say({ type: 'trouble', message: (error as Error).message })
      if (closeBy !== undefined) break
      again = true
      await sleep(retryMs)
    }
    if (closeBy === undefined && waiting.length === 0) await pause()
  }
  running = false
  if (closeBy === undefined) {
    if (checking) void checkChain()
    return
  }
  follower.close()
  port?.close()
}

/** The time between two commits; it ends early when somebody waits. */
async function pause(): Promise<void> {
  const woken = new AbortController()
  wake = () => waiting.length > 0 && woken.abort()
  await sleep(everyMs, undefined, { signal: woken.signal }).catch(() => {})
  wake = () => {}
}

/** Checks what the tables stood on when they were opened, whenever the thread has nothing to follow. Once begun, it is not begun again. */
async function checkChain(): Promise<void> {
  checking = false
  let chain: ChainCheck | undefined
  try {
    chain = new ChainCheck(log, standsOn)
    while (closeBy === undefined) {
      if (!running) {
        const end = Date.now() + checkSliceMs
        if (!chain.step(() => Date.now() >= end)) break
      }
      await sleep(running ? everyMs : 0)
    }
  } catch (error) {
    const damaged = error instanceof StockError && error.code === 'log_damaged'
    say({ type: damaged ? 'damaged' : 'trouble', message: (error as Error).message })
  } finally {
    chain?.close()
  }
}

/** Answers what was asked about the positions that the tables have reached. */
function answerAll(from: Follower): void {
  while (waiting[0] !== undefined && waiting[0].position <= from.position) {
    const { id, asked } = waiting.shift() as AskRequest
    try {
      say({ type: 'answered', id, answer: lookUp(from, asked) })
    } catch (error) {
      say({ type: 'unanswered', id, code: 'internal', message: (error as Error).message })
    }
  }
}

function lookUp({ lookups, position }: Follower, asked: Lookup): unknown {
  switch (asked.of) {
    case 'recall':
      return lookups.recall(asked.till, asked.epoch, asked.from, asked.to, most.recallBytesMax)
    case 'recallAt':
      return lookups.recallAt(asked.position)
    case 'earlierIds':
      return lookups.earlierIds(asked.till, asked.epoch, asked.since, most.earlierIdsMax)
    case 'sale':
      return lookups.sale(asked.till, asked.id)
    case 'movedSince':
      return lookups.movedSince(asked.levels, asked.at, position)
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
