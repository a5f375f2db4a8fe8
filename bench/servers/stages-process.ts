import {
  hashContent,
  hashHigh,
  hashLow,
  type Item,
  Ledger,
  type Line,
  SLOT,
  type Transaction,
} from '../../packages/stock/src/ledger/index.ts'
import { decodeTransaction, LineReader, parseObject } from '../../packages/stock/src/protocol/index.ts'
import { ITEMS, itemCode, OPENING_STOCK, STORES, storeCode } from '../load/chain.ts'
import { ndjson } from '../load/ndjson-dialect.ts'
import { Receipts } from '../load/receipts.ts'

/** One reading of `bench/stages.ts`, by one of the ways to read a receipt: prints µs of CPU time for each stage as JSON. */

type Read = (reader: LineReader) => Transaction

const BLOCKS = 320
/** About what a socket gives at a time. */
const BLOCK_RECEIPTS = 512
/** All of it is done twice before it is measured. */
const ROUNDS = 5
const OPENING_LINES = 1_000
const AT = Date.now()

const decode: Read = (reader) => decodeTransaction(parseObject(reader.text() as string))
const usual: Read = (reader) => {
  const transaction = reader.usual()
  if (transaction === undefined) throw new Error('a receipt of the load is not read from its bytes')
  return transaction
}

const ledger = new Ledger()
const seller = ledger.till('S01/B1')
fill(ledger)

const way = process.argv[2]
const stages =
  way === 'text'
    ? {
        'line found, as text': () => eachLine((reader) => void reader.text()),
        '… parsed': () => eachLine((reader) => void parseObject(reader.text() as string)),
        ...stagesOf('… checked', decode),
      }
    : stagesOf('line found, read', usual)

const blocks: readonly Buffer[] = Array.from({ length: BLOCKS }, (_, index) => {
  const encode = ndjson.encoder(new Receipts(index % STORES, STORES), 1, 0)
  return encode(1 + index * BLOCK_RECEIPTS, 1 + (index + 1) * BLOCK_RECEIPTS).bytes
})
const figures: Record<string, number> = {}
for (const [name, run] of Object.entries(stages)) figures[name] = best(run)
console.log(JSON.stringify(figures))

function stagesOf(reading: string, read: Read): Readonly<Record<string, () => void>> {
  return {
    [reading]: () => eachLine((reader) => void read(reader)),
    '… its items found': () => eachLine((reader) => void itemsOf(read(reader))),
    '… hashed and applied': () => eachLine((reader, view) => apply(read(reader), reader, view)),
  }
}

/** The least of the rounds: the machine may have others on it. */
function best(run: () => void): number {
  const micros = Array.from({ length: ROUNDS + 2 }, () => {
    const before = process.threadCpuUsage()
    run()
    const { user, system } = process.threadCpuUsage(before)
    return (user + system) / (BLOCKS * BLOCK_RECEIPTS)
  })
  return Math.min(...micros.slice(2))
}

function eachLine(visit: (reader: LineReader, view: DataView) => void): void {
  for (const block of blocks) {
    const view = new DataView(block.buffer, block.byteOffset, block.length)
    const reader = new LineReader(block)
    while (reader.next()) visit(reader, view)
  }
}

function itemsOf(transaction: Transaction): Item | undefined {
  let last: Item | undefined
  for (const line of (transaction as { readonly lines: readonly Line[] }).lines) last = ledger.items.find(line.item, line[SLOT])
  return last
}

function apply(transaction: Transaction, { start, end }: LineReader, view: DataView): void {
  hashContent(view, start, end)
  // The blocks come again and again, a till's numbers do not.
  const numbered = transaction as { seq: number }
  numbered.seq = seller.last + 1
  const { refused, flags } = ledger.apply(seller, transaction, {
    position: ledger.position + 1,
    recorded: AT,
    high: hashHigh,
    low: hashLow,
  })
  if (refused !== undefined || flags.length > 0) throw new Error(`a receipt has something to say: ${refused ?? flags}`)
}

/** Every item in every store, as the servers of the other benches have it. */
function fill(into: Ledger): void {
  const till = into.till('server')
  const post = (transaction: Record<string, unknown>): void => {
    const numbered = { seq: till.last + 1, at: AT, ...transaction } as unknown as Transaction
    into.apply(till, numbered, { position: into.position + 1, recorded: AT, high: 0, low: 0 })
  }
  for (let item = 0; item < ITEMS; item++) post({ kind: 'item', item: itemCode(item), name: `item ${item}` })
  for (let store = 0; store < STORES; store++) {
    const location = storeCode(store)
    post({ kind: 'location', location })
    for (let from = 0; from < ITEMS; from += OPENING_LINES) {
      const lines = Array.from({ length: OPENING_LINES }, (_, index) => ({ item: itemCode(from + index), quantity: OPENING_STOCK }))
      post({ kind: 'opening', location, lines })
    }
  }
}
