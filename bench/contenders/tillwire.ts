import { once } from 'node:events'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { encodeTransaction } from '@tillwire/stock'
import { ITEMS, itemCode, OPENING_STOCK, STORES, storeCode } from '../load/chain.ts'
import { dial } from '../load/dial.ts'
import type { Contender } from './contender.ts'
import { Program } from './program.ts'

const TILLWIRE = fileURLToPath(new URL('../../packages/cli/bin/tillwire', import.meta.url))
const LINES_IN_OPENING = 1_000
const POLL_MS = 100
/** 25,000,000 receipts take their time. */
const SETTLED_MS = 3_600_000

/** A `tillwire serve`, as a user would run it. */
export class Tillwire implements Contender {
  readonly name = 'tillwire'
  readonly dialect = 'ndjson'
  readonly port: number
  readonly program: Program
  readonly #folder: string

  private constructor(program: Program, folder: string) {
    this.program = program
    this.port = Number(program.said)
    this.#folder = folder
  }

  static async start(folder: string): Promise<Tillwire> {
    const args = ['serve', '--data', join(folder, 'data'), '--listen', 'tcp://127.0.0.1:0', '--no-http']
    const ready = /listening on tcp:\/\/127\.0\.0\.1:(\d+)/
    return new Tillwire(await Program.start({ command: TILLWIRE, args, log: join(folder, 'tillwire.log'), ready }), folder)
  }

  /** Defines the chain, and gives every item stock in every store. */
  async define(): Promise<void> {
    const at = Date.now()
    const lines: string[] = ['{"hello":1,"till":"W00/SETUP","epoch":0}']
    let seq = 0
    for (let item = 0; item < ITEMS; item++) lines.push(encodeTransaction({ kind: 'item', at, item: itemCode(item) }, ++seq))
    for (let store = 0; store < STORES; store++) {
      const location = storeCode(store)
      lines.push(encodeTransaction({ kind: 'location', at, location }, ++seq))
      for (let first = 0; first < ITEMS; first += LINES_IN_OPENING) {
        const stock = Array.from({ length: LINES_IN_OPENING }, (_, index) => ({ item: itemCode(first + index), quantity: OPENING_STOCK }))
        lines.push(encodeTransaction({ kind: 'opening', at, location, lines: stock }, ++seq))
      }
    }
    const socket = await dial(this.port)
    socket.write(`${lines.join('\n')}\n`)
    for (let heard = ''; !heard.includes(`"ack":${seq},`); ) {
      const [chunk] = (await once(socket, 'data')) as [Buffer]
      heard = heard.slice(-1_000) + chunk.toString('latin1')
      if (heard.includes('"error"') || heard.includes('"refused"')) throw new Error(heard)
    }
    socket.destroy()
  }

  logBytes(): number {
    const row = this.#look('log.db', 'SELECT page_count * page_size AS value FROM pragma_page_count, pragma_page_size')
    return row as number
  }

  /** The position that the log is at. */
  get position(): number {
    return (this.#look('log.db', 'SELECT first + count - 1 AS value FROM batch ORDER BY first DESC LIMIT 1') as number) ?? 0
  }

  /** The position that the tables of `ledger.db` are at. */
  get tablesAt(): number {
    return (this.#look('ledger.db', 'SELECT position AS value FROM projection') as number) ?? 0
  }

  /** Resolves when the tables hold what the log does. */
  async settled(): Promise<void> {
    const giveUp = performance.now() + SETTLED_MS
    while (this.tablesAt < this.position) {
      if (!this.program.running) throw new Error('tillwire has ended')
      if (performance.now() > giveUp) throw new Error('the tables do not catch up')
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    }
  }

  /** As an operator stops it: everything is written, the files are closed. */
  stop(): Promise<void> {
    return this.program.end('SIGTERM')
  }

  end(): Promise<void> {
    return this.program.end('SIGKILL')
  }

  #look(file: string, sql: string): unknown {
    const db = new DatabaseSync(join(this.#folder, 'data', file), { readOnly: true, timeout: 5_000 })
    try {
      return db.prepare(sql).get()?.value
    } finally {
      db.close()
    }
  }
}
