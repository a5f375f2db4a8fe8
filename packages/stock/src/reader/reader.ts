import { type Client, connect, lines } from '@tillwire/net'
import { STOCK_ERRORS, StockError, type StockErrorCode } from '../errors.ts'
import {
  type Answer,
  decodeReply,
  encodeHello,
  type KnownCodes,
  type Question,
  type Reply,
  type WatchEvent,
  type Welcome,
} from '../protocol/index.ts'

/** Which levels are wanted; every part narrows. */
export interface LevelQuestion {
  readonly location?: string
  /** A location and those inside it. */
  readonly within?: string
  /** A code or a barcode. */
  readonly item?: string
  /** The beginning of an item's code. */
  readonly prefix?: string
  /** Only levels that are below this, in units. */
  readonly below?: number
}

/** What purchasing asks beside the levels of now. */
export type ReportName = Question['of']

/** A page of what purchasing asked. */
export type Report = Answer & { readonly rows: NonNullable<Answer['rows']> }

/** How to connect. */
export interface ReaderOptions {
  readonly signal?: AbortSignal
}

/** Answers may hold thousands of levels. */
const ANSWER_BYTES_MAX = 16 * 1024 * 1024
const LEVELS_A_PAGE = 10_000
const CODES_A_QUESTION = 1_000

/** A session that asks and posts nothing. */
export class Reader implements AsyncDisposable {
  /** What the server said of itself. */
  readonly welcome: Welcome
  readonly #client: Client<string, string>
  #asks = 0

  private constructor(client: Client<string, string>, welcome: Welcome) {
    this.#client = client
    this.welcome = welcome
  }

  /** @throws (rejects) NetError of `connect`; StockError with what the server says. */
  static async connect(server: string, options: ReaderOptions = {}): Promise<Reader> {
    const limits = { frameBytesMax: ANSWER_BYTES_MAX, idleMs: 0 }
    const client = await connect(server, { framing: lines(), signal: options.signal, limits })
    try {
      const reply = decode(await client.request(encodeHello(), options.signal === undefined ? {} : { signal: options.signal }))
      if (!('welcome' in reply)) throw violated()
      return new Reader(client, reply)
    } catch (error) {
      client.abort()
      throw error
    }
  }

  /** The levels asked for, in pages, each with the position and the time that it holds for. */
  async *levels(question: LevelQuestion = {}): AsyncGenerator<Answer, void, undefined> {
    let after: string | undefined
    do {
      const ask = { ask: ++this.#asks, levels: { ...question, limit: LEVELS_A_PAGE, ...(after === undefined ? {} : { after }) } }
      const reply = decode(await this.#client.request(JSON.stringify(ask)))
      if (!('answer' in reply) || reply.levels === undefined) throw violated()
      yield reply
      after = reply.next
    } while (after !== undefined)
  }

  /**
   * What purchasing asks, in pages; each says the position and the time that it holds for. The fields of each question and of its rows
   * stand in the protocol's page.
   */
  async *report(name: ReportName, question: Readonly<Record<string, unknown>> = {}): AsyncGenerator<Report, void, undefined> {
    let after: string | undefined
    do {
      const ask = { ask: ++this.#asks, [name]: { ...question, ...(after === undefined ? {} : { after }) } }
      const reply = decode(await this.#client.request(JSON.stringify(ask)))
      if (!('answer' in reply) || reply.rows === undefined) throw violated()
      yield reply as Report
      after = reply.next
    } while (after !== undefined)
  }

  /** Which of these codes the ledger knows. */
  async known({ locations, items, suppliers = [] }: KnownCodes): Promise<Required<KnownCodes>> {
    const found = { locations: [] as string[], items: [] as string[], suppliers: [] as string[] }
    for (let at = 0; at < Math.max(locations.length, items.length, suppliers.length); at += CODES_A_QUESTION) {
      const part = (codes: readonly string[]): readonly string[] => codes.slice(at, at + CODES_A_QUESTION)
      const ask = {
        ask: ++this.#asks,
        known: { locations: part(locations), items: part(items), ...(suppliers.length > 0 ? { suppliers: part(suppliers) } : {}) },
      }
      const reply = decode(await this.#client.request(JSON.stringify(ask)))
      if (!('answer' in reply) || reply.known === undefined) throw violated()
      found.locations.push(...reply.known.locations)
      found.items.push(...reply.known.items)
      found.suppliers.push(...(reply.known.suppliers ?? []))
    }
    return found
  }

  /** The levels asked for as they are, and then what changes, until the connection ends. The reader serves nothing else meanwhile. */
  async *watch(question: LevelQuestion = {}): AsyncGenerator<Answer | WatchEvent, void, undefined> {
    await this.#client.send(JSON.stringify({ ask: ++this.#asks, watch: question }))
    for await (const line of this.#client) {
      const reply = decode(line)
      if ('answer' in reply || 'event' in reply) yield reply
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]()
  }
}

function decode(line: string): Reply {
  const reply = decodeReply(line)
  if (!('error' in reply)) return reply
  const code = reply.error.code in STOCK_ERRORS ? (reply.error.code as StockErrorCode) : 'protocol_violated'
  throw new StockError(code, reply.error.message)
}

function violated(): StockError {
  return new StockError('protocol_violated', 'the server answered something else than was asked; is it a stock server?')
}
