import { chainHigh, chainLow, chainText, firstChain, hashContent, hashHigh, hashLow, nextChain } from '../../src/protocol/index.ts'
import type { MemoryShop } from './memory-shop.ts'
import { AT } from './till-lines.ts'
import type { Said, WireClient } from './wire-client.ts'

/** A transaction of a paper till, without its number. */
export type Row = Readonly<Record<string, unknown>>

/** A sale with an id. */
export function soldAs(id: string, quantity = 1, more: Row = {}): Row {
  return { id, kind: 'sale', location: 'S01', at: AT, lines: [{ item: 'apple', quantity }], ...more }
}

/** What a till writes down: its epoch, and its transactions in order. The plainest till that does all that the protocol asks. */
export class PaperTill {
  readonly name: string
  epoch = 0
  /** What was acknowledged is in here too. */
  readonly rows: Row[] = []
  /** The last number that it knows to be acknowledged. */
  acked = 0

  constructor(name = 'S01/T1') {
    this.name = name
  }

  /** What a copy of its disk holds. */
  copy(): PaperTill {
    const copy = new PaperTill(this.name)
    copy.epoch = this.epoch
    copy.rows.push(...this.rows)
    copy.acked = this.acked
    return copy
  }

  /** The chain at a number of its own. */
  chainAt(seq: number): string {
    firstChain(this.name, this.epoch)
    for (let at = 1; at <= seq; at++) {
      const [high, low] = [chainHigh, chainLow]
      const line = Buffer.from(this.line(at))
      hashContent(new DataView(line.buffer, line.byteOffset, line.length), 0, line.length)
      nextChain(high, low, hashHigh, hashLow)
    }
    return chainText(chainHigh, chainLow)
  }

  line(seq: number): string {
    return JSON.stringify({ seq, ...this.rows[seq - 1] })
  }

  /** Says hello with what it knows, and takes the epoch that it is told. */
  async connect(shop: MemoryShop): Promise<WireClient & { readonly welcome: Said }> {
    const known = this.epoch === 0 ? {} : { last: this.acked, chain: this.chainAt(this.acked) }
    const client = await shop.till(this.name, this.epoch, known)
    const { epoch } = client.welcome
    if (epoch !== undefined && epoch !== this.epoch) {
      this.epoch = epoch as number
      this.acked = 0
    }
    return client
  }

  /** Whether a welcome shows that the server has other lines of it than it has itself. */
  mustBeginAnew({ last, chain }: Said): boolean {
    return (last as number) > this.rows.length || chain !== this.chainAt(last as number)
  }

  /** Sends everything that is not acknowledged, at once; answers with the results, by number. */
  async send(client: WireClient): Promise<Map<number, Said>> {
    const lines: string[] = []
    for (let seq = this.acked + 1; seq <= this.rows.length; seq++) lines.push(`${this.line(seq)}\n`)
    client.write(lines.join(''))
    const results = new Map<number, Said>()
    while (this.acked < this.rows.length) {
      const said = await client.next()
      if (typeof said.ack !== 'number') throw new Error(JSON.stringify(said))
      this.acked = said.ack
      for (const result of (said.results as Said[] | undefined) ?? []) results.set(result.seq as number, result)
    }
    return results
  }
}
