import { copyFileSync, cpSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Tillwire } from '../contenders/tillwire.ts'
import type { Form } from '../form.ts'
import { ITEMS, STORES } from '../load/chain.ts'
import { median } from '../net/rounds.ts'
import type { Scratch } from '../scratch.ts'
import { CATCHING_UP, takeTurn } from './turn.ts'

/** Receipts in one go while the ledger is filled. */
const FILL = 1_000_000
const GUESS_PER_SECOND = 250_000
const LINES_PER_RECEIPT = 2
/** Quotients for each of the form's rounds: with five of them a server over one of the same size was anything from 0.9 to 1.3. */
const QUOTIENTS_PER_ROUND = 3

/** What a server with so many lines in its ledger showed. */
export interface Grown {
  readonly lines: number
  readonly transactions: number
  readonly receiptsPerSecond: number
  /** The rate over that of a server with the smallest of these ledgers: the quotient of each round, sorted. */
  readonly quotients: readonly number[]
  readonly logBytesPerLine: number
  /** From the start of the process to listening, the tables being there. */
  readonly startMs: number
  /** The same without tables: everything is replayed from the log. */
  readonly replayMs: number
  /** Transactions a second while the tables are made again, from the start of the process. */
  readonly rebuiltPerSecond: number
  readonly residentMegabytes: number
}

/** Fills a ledger through the server, and looks at it at every size. */
export async function measureGrowth(scratch: Scratch, form: Form, say: (text: string) => void): Promise<Grown[]> {
  const grown: Grown[] = []
  const folder = scratch.folder('growth')
  const smallest = scratch.folder('growth-smallest')
  let lines = ITEMS * STORES
  for (const [index, size] of form.growthLines.entries()) {
    const filling = await Tillwire.start(folder)
    const linesBefore = lines
    let logBytesPerLine: number
    try {
      if (index === 0) await filling.define()
      const bytesBefore = filling.logBytes()
      while (lines < size) {
        const receipts = Math.min(FILL, (size - lines) / LINES_PER_RECEIPT + CATCHING_UP.clients)
        lines += (await takeTurn(filling, CATCHING_UP, receipts, true)).lines
      }
      logBytesPerLine = (filling.logBytes() - bytesBefore) / (lines - linesBefore)
      say(`growth: ${lines} lines are in the log; the tables follow`)
      await filling.settled()
    } finally {
      await filling.stop()
    }
    if (index === 0) cpSync(join(folder, 'data'), join(smallest, 'data'), { recursive: true })
    grown.push({
      lines,
      logBytesPerLine,
      ...(await rebuild(scratch.folder(`rebuild-${size}`), folder)),
      ...(await beside(folder, scratch, smallest, index, form)),
    })
    say(`growth: ${JSON.stringify(grown.at(-1))}`)
  }
  return grown
}

type Rebuilt = Pick<Grown, 'replayMs' | 'rebuiltPerSecond' | 'transactions'>

/** Starts on the log alone. */
async function rebuild(empty: string, full: string): Promise<Rebuilt> {
  mkdirSync(join(empty, 'data'))
  copyFileSync(join(full, 'data', 'log.db'), join(empty, 'data', 'log.db'))
  const started = performance.now()
  const server = await Tillwire.start(empty)
  try {
    const replayMs = performance.now() - started
    await server.settled()
    const transactions = server.position
    return { replayMs, transactions, rebuiltPerSecond: transactions / ((performance.now() - started) / 1000) }
  } finally {
    await server.end()
  }
}

type Beside = Pick<Grown, 'startMs' | 'receiptsPerSecond' | 'quotients' | 'residentMegabytes'>

/** The rate in turn with that of a server on a fresh copy of the smallest ledger. */
async function beside(folder: string, scratch: Scratch, smallest: string, index: number, { rounds, turnMs }: Form): Promise<Beside> {
  const other = scratch.folder(`growth-beside-${index}`)
  cpSync(join(smallest, 'data'), join(other, 'data'), { recursive: true })
  const copy = scratch.folder(`growth-large-${index}`)
  cpSync(join(folder, 'data'), join(copy, 'data'), { recursive: true })
  const started = performance.now()
  const large = await Tillwire.start(copy)
  const startMs = performance.now() - started
  const residentMegabytes = large.program.residentMegabytes
  const small = await Tillwire.start(other).catch(async (error) => {
    await large.end()
    throw error
  })
  try {
    const receipts = (GUESS_PER_SECOND * turnMs) / 1000
    small.program.pause()
    large.program.pause()
    const rates: { readonly large: number; readonly small: number }[] = []
    for (let round = -1; round < rounds * QUOTIENTS_PER_ROUND; round++) {
      const of = async (server: Tillwire): Promise<number> => {
        server.program.resume()
        const { receiptsPerSecond } = await takeTurn(server, CATCHING_UP, receipts)
        server.program.pause()
        return receiptsPerSecond
      }
      const largeFirst = round % 2 === 0 ? await of(large) : undefined
      const both = { small: await of(small), large: largeFirst ?? (await of(large)) }
      if (round >= 0) rates.push(both)
    }
    const quotients = rates.map((both) => both.large / both.small).sort((a, b) => a - b)
    return { startMs, receiptsPerSecond: median(rates.map((both) => both.large)), quotients, residentMegabytes }
  } finally {
    await large.end()
    await small.end()
  }
}
