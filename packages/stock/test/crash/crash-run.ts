import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { verifyData } from '../../src/index.ts'
import { EMPTY_HEAD, readBody, SqliteLogReader } from '../../src/log/index.ts'
import { ChildShop, type Opened } from '../support/child-shop.ts'

/** How to run it. */
export interface CrashOptions {
  /** A folder of its own. */
  readonly folder: string
  readonly seconds: number
  readonly tills: number
  /** Seeds when what is killed; the processes between are as random as ever. */
  readonly seed: number
}

/** What came of it. */
export interface CrashSummary {
  readonly serverKills: number
  readonly tillKills: number
  readonly transactions: number
  readonly starts: readonly Start[]
}

/** A start of the server. */
export interface Start extends Opened {
  /** From the start of the process, which reads its sources, until it listens, in milliseconds. */
  readonly processMs: number
}

/** Longest times between two kills, in milliseconds: starting a process takes a third of a second of a core, and is no load that counts. */
const SERVER_LIFE_MS = 2_000
const TILL_LIFE_MS = 2_000
/** Processes that are started hundreds of times read their sources once. */
const ENVIRONMENT = { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), 'tillwire-compile-cache') }
/** More than any till puts in its life. */
const ENDLESS = 100_000_000

/** Sells through real tills on real outboxes, and kills them and the server at random; then looks whether anything is missing or twice. */
export async function crashRun({ folder, seconds, tills: count, seed }: CrashOptions): Promise<CrashSummary> {
  const random = randomFrom(seed)
  const data = join(folder, 'data')
  const endpoint = `unix://${join(folder, 'shop')}`
  const starts: Start[] = []
  const end = performance.now() + seconds * 1_000
  const tills = Array.from({ length: count }, (_, index) => new Seller(folder, endpoint, `S${index + 1}/T1`))
  let server = await startServer(data, endpoint, starts)
  let serverKills = 0
  let tillKills = 0
  const killTills = async (): Promise<void> => {
    while (performance.now() < end) {
      await sleep(random() * TILL_LIFE_MS)
      const till = tills[Math.floor(random() * count)] as Seller
      await till.kill()
      tillKills++
      till.start(ENDLESS)
    }
  }
  const killServer = async (): Promise<void> => {
    while (performance.now() < end) {
      await sleep(random() * SERVER_LIFE_MS)
      await server.kill()
      serverKills++
      server = await startServer(data, endpoint, starts)
    }
  }
  try {
    for (const till of tills) till.start(ENDLESS)
    await Promise.all([killTills(), killServer()])
    for (const till of tills) {
      await till.kill()
      await till.finish()
    }
    await server.kill() // also the last time without a word
    const transactions = checkLog(join(data, 'log.db'), tills)
    server = await startServer(data, endpoint, starts) // the tables catch up
    await server.kill()
    const { damages, unbalanced, replayed } = await verifyData(data, { work: folder })
    assert.deepEqual(damages, [])
    assert.deepEqual(unbalanced, [])
    assert.ok(replayed >= transactions)
    return { serverKills, tillKills, transactions, starts }
  } finally {
    await Promise.all([server.kill(), ...tills.map((till) => till.kill())])
  }
}

async function startServer(data: string, endpoint: string, starts: Start[]): Promise<ChildShop> {
  const began = performance.now()
  const server = await ChildShop.start(data, endpoint, ENVIRONMENT)
  starts.push({ ...server.opened, processMs: Math.round(performance.now() - began) })
  return server
}

/** A till that can be killed, and remembers what it was told. */
class Seller {
  readonly name: string
  readonly outbox: string
  readonly #server: string
  #process: ChildProcess | undefined
  #ended: Promise<unknown> = Promise.resolve()
  /** So many were on its disk; and so many at the server. */
  put = 0
  acked = 0
  #done = false

  constructor(folder: string, server: string, name: string) {
    this.name = name
    this.outbox = join(folder, name.replace('/', '-'))
    this.#server = server
  }

  start(sales: number): void {
    const script = join(import.meta.dirname, '../support/selling-process.ts')
    const [location = ''] = this.name.split('/')
    const args = ['--conditions=tillwire-source', script, this.name, this.outbox, this.#server, location, String(sales)]
    const child = spawn(process.execPath, args, { env: ENVIRONMENT, stdio: ['ignore', 'pipe', 'inherit'] })
    this.#process = child
    this.#done = false
    const lines = createInterface({ input: child.stdout })
    lines.on('line', (line) => this.#said(line))
    this.#ended = Promise.all([once(child, 'exit'), once(lines, 'close')])
  }

  async kill(): Promise<void> {
    this.#process?.kill('SIGKILL')
    await this.#ended
  }

  /** Sends all that waits. */
  async finish(): Promise<void> {
    this.start(0)
    await this.#ended
    assert.ok(this.#done, `${this.name} could not send all that it had`)
  }

  #said(line: string): void {
    const [what, number] = line.split(' ')
    if (what === 'done') this.#done = true
    else if (what === 'put') this.put = Math.max(this.put, Number(number))
    else if (what === 'acked') this.acked = Math.max(this.acked, Number(number))
  }
}

/** Every till's transactions are in the log, each once, in its order, as they are in its outbox. @returns how many there are in all */
function checkLog(path: string, tills: readonly Seller[]): number {
  const lines = new Map<string, string[]>(tills.map(({ name }) => [name, []]))
  const log = new SqliteLogReader(path)
  for (const { body } of log.read(1, EMPTY_HEAD)) {
    let own: string[] | undefined
    readBody(body, {
      group(till) {
        own = lines.get(till)
      },
      line: (text) => void own?.push(text),
    })
  }
  log.close()
  let total = 0
  for (const { name, outbox, put, acked } of tills) {
    const db = new DatabaseSync(join(outbox, 'outbox.db'), { readOnly: true })
    const kept = (db.prepare('SELECT line FROM outgoing ORDER BY seq').all() as { line: string }[]).map(({ line }) => line)
    db.close()
    assert.ok(kept.length >= Math.max(put, acked), `${name}: ${kept.length} on the disk, ${put} were said to be, ${acked} acknowledged`)
    const logged = lines.get(name) as string[]
    assert.equal(logged.length, kept.length, `${name}: as many in the log as in the outbox`)
    const at = logged.findIndex((line, index) => line !== kept[index])
    assert.equal(at, -1, `${name}: transaction ${at + 1} differs`)
    total += logged.length
  }
  return total
}

/** Numbers from 0 up to 1 that a seed repeats (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
