import type { Connection } from '@tillwire/net'
import type { Source } from '../committer/index.ts'
import { StockError } from '../errors.ts'
import type { ContentHash, Result, TillState, Transaction } from '../ledger/index.ts'
import {
  type Ask,
  decodeRequest,
  decodeTransaction,
  encodeAck,
  encodeError,
  encodeGap,
  encodeRepeated,
  encodeResult,
  encodeWelcome,
  type Hello,
  hashContent,
  hashHigh,
  hashLow,
  LineReader,
  parseObject,
  sameContent,
} from '../protocol/index.ts'
import { Asks } from './asks.ts'
import type { Recalled } from './recall.ts'
import type { SessionParts, TillHolder } from './session-parts.ts'

/** A connection as the sessions see it. */
export type StockConnection = Connection<Buffer, string, Session>

/**
 * One connection's conversation. Answers keep the order of what was said: whatever is answered at once waits behind the transactions
 * that came before it and are still on their way to the log.
 */
export class Session implements Source, TillHolder {
  readonly #parts: SessionParts
  readonly #connection: StockConnection
  readonly #asks: Asks
  readonly #cancelHello: () => void
  #greeted = false
  #name: string | undefined
  #till: TillState | undefined
  #epoch = 0
  /** The number of the last transaction taken, whether it is durable yet or not. */
  #taken = 0
  #inFlight = 0
  /** Answers that wait behind transactions on their way to the log. */
  #behind = 0
  #release: (() => void) | undefined
  // What the next acknowledgement will say.
  #ack = 0
  #ackPosition = 0
  #results: string[] = []
  #unsaid = false
  // What is left of a block while the session waits for something else.
  #reader: LineReader | undefined
  #block: Buffer | undefined
  #view: DataView | undefined
  #waiting = false
  #reading = false
  /** An ask has gone through levels since others had their turn. */
  #searched = false
  #recalled: readonly Recalled[] = []
  /** How many earlier transactions the last look into the archive asked for. */
  #ahead = 0
  #errors = 0
  #ending = false
  #over = false

  constructor(parts: SessionParts, connection: StockConnection) {
    this.#parts = parts
    this.#connection = connection
    this.#asks = new Asks(parts, connection, (line) => this.#say(line))
    const { clock, limits } = parts
    this.#cancelHello = clock.after(limits.helloMs, () => this.end(new StockError('hello_timeout', `no hello within ${limits.helloMs} ms`)))
  }

  get till(): TillState {
    return this.#till as TillState
  }

  get epoch(): number {
    return this.#epoch
  }

  get over(): boolean {
    return this.#over
  }

  /** Takes a block of whole lines. */
  read(block: Buffer): void {
    if (this.#ending || this.#over) return
    this.#reader = new LineReader(block)
    this.#block = block
    this.#view = new DataView(block.buffer, block.byteOffset, block.length)
    this.#readOn()
  }

  end(reason: StockError): void {
    if (this.#over || this.#ending) return
    this.#say(() => encodeError(reason))
    this.#finish()
  }

  /** The connection is gone. */
  closed(): void {
    this.#over = true
    this.#cancelHello()
    this.#asks.close()
    if (this.#name !== undefined) this.#parts.leave(this.#name, this)
  }

  posted(seq: number, position: number, result: Result): void {
    this.#inFlight--
    this.#ack = seq
    this.#ackPosition = position
    this.#unsaid = true
    if (result.refused !== undefined || result.flags.length > 0) this.#results.push(encodeResult(seq, result))
  }

  settled(): void {
    this.#acknowledge()
    this.#holdWhileBusy()
  }

  /** Works through the block until its end, or until something has to be waited for. */
  #readOn(): void {
    if (this.#reading) return
    this.#reading = true
    while (this.#mayRead() && this.#reader?.next()) {
      const text = this.#reader.text()
      if (text === undefined) this.#fault(new StockError('bad_json', 'the line is not UTF-8'), undefined)
      else if (text.trimStart() !== '') this.#line(text)
    }
    this.#reading = false
    if (!this.#waiting) {
      this.#reader = undefined
      this.#block = undefined
    }
    this.#holdWhileBusy()
  }

  /** Looked at before each line: whether there is reason to wait, however much of the block is left. */
  #mayRead(): boolean {
    if (this.#waiting || this.#ending || this.#over || this.#connection.ending) return false
    const { committer, clock } = this.#parts
    if (this.#connection.congested) {
      // Where it rejects, the connection has ended, and nothing will be read any more.
      this.#wait((done) => void this.#connection.writable().then(done, () => {}))
    } else if (this.#behind > 0) {
      // One answer of a session waits behind its transactions, never a pile of them.
      this.#wait((done) => committer.after(done))
    } else if (this.#till !== undefined && committer.full) {
      this.#wait((done) => committer.whenRoom(done))
    } else if (this.#searched && this.#hasMore) {
      this.#wait((done) => clock.soon(done)) // others have their turn between two searches
    }
    this.#searched = false
    return !this.#waiting
  }

  /** Whether the block has bytes behind the current line. */
  get #hasMore(): boolean {
    return this.#reader !== undefined && this.#block !== undefined && this.#reader.end + 1 < this.#block.length
  }

  #line(text: string): void {
    let sent: Record<string, unknown> | undefined
    try {
      sent = parseObject(text)
      if (sent.seq !== undefined) this.#transaction(decodeTransaction(sent))
      else this.#request(decodeRequest(sent))
    } catch (error) {
      if (error instanceof StockError) this.#fault(error, sent)
      else this.#failed(error)
    }
  }

  #transaction(transaction: Transaction): void {
    const till = this.#till
    if (till === undefined) {
      throw this.#greeted
        ? new StockError('read_only', 'this session said hello without a till')
        : new StockError('hello_first', 'say hello first')
    }
    const { start, end } = this.#reader as LineReader
    hashContent(this.#view as DataView, start, end)
    const { seq } = transaction
    if (seq === this.#taken + 1) {
      if (this.#ahead > 0) this.#forget()
      this.#taken = seq
      this.#inFlight++
      this.#parts.committer.add(this, transaction, hashHigh, hashLow, this.#block as Buffer, start, end)
    } else if (seq > this.#taken) {
      const expected = this.#taken + 1
      this.#result(encodeGap(seq, expected))
    } else {
      const hash = { high: hashHigh, low: hashLow }
      this.#wait((done) =>
        this.#parts.committer.after(() => void this.#repeat(till, transaction, hash).then(done, (error) => this.#failed(error))),
      )
    }
  }

  /** A number that was used before: the same content gets its first result again, other content is refused. */
  async #repeat(till: TillState, transaction: Transaction, hash: ContentHash): Promise<void> {
    const { seq } = transaction
    const recent = till.recent(seq)
    if (recent !== undefined && recent.hash.high === hash.high && recent.hash.low === hash.low) {
      this.#forget()
      this.#result(encodeRepeated(seq, recent.position, recent.result))
      return
    }
    const first = await this.#recall(till, seq)
    if (this.#over) return
    const same = hashesTo(first.line, hash) || sameContent(decodeTransaction(parseObject(first.line)), transaction)
    this.#result(same ? encodeRepeated(seq, first.position, first.result) : encodeResult(seq, { flags: [], refused: 'seq_reused' }))
  }

  /**
   * An earlier transaction from the archive. A till that sends again often sends many: each look brings twice as many of the next ones
   * along, so that a single line costs a single line.
   */
  async #recall(till: TillState, seq: number): Promise<Recalled> {
    const { archive, limits } = this.#parts
    const at = (): Recalled | undefined => this.#recalled[seq - (this.#recalled[0]?.seq ?? 0)]
    if (at()?.seq !== seq) {
      this.#recalled = []
      this.#ahead = Math.min(Math.max(this.#ahead * 2, 1), limits.recallMax)
      this.#recalled = await archive.recall(till.name, till.epoch, seq, Math.min(till.last, seq + this.#ahead - 1))
    }
    const found = at()
    if (this.#over || seq === till.last) this.#forget()
    if (found?.seq !== seq) throw new Error(`transaction ${till.name}/${till.epoch}/${seq} is in the ledger and not in the archive`)
    return found
  }

  /** The session has caught up with what it had sent before. */
  #forget(): void {
    this.#recalled = []
    this.#ahead = 0
  }

  #request(request: Hello | Ask | { type: 'bye' }): void {
    if (request.type === 'hello') return this.#hello(request)
    if (!this.#greeted) throw new StockError('hello_first', 'say hello first: {"hello":1}')
    if (request.type === 'ask') {
      this.#searched = request.of === 'levels' || request.of === 'watch'
      return this.#asks.take(request)
    }
    this.#finish()
  }

  #hello(hello: Hello): void {
    if (this.#greeted) throw new StockError('hello_twice', 'this session has had its hello')
    this.#greeted = true
    this.#cancelHello()
    const { clock, name } = this.#parts
    this.#name = hello.till
    if (hello.till === undefined) this.#connection.send(encodeWelcome(name, clock.now()))
    else this.#wait((done) => this.#parts.claim(hello.till as string, hello.epoch, this, (claimed) => this.#claimed(claimed, done)))
  }

  /** The till is ours, at this epoch; or it is not, for this reason. */
  #claimed(claimed: TillState | StockError, done: () => void): void {
    if (this.#over) return
    if (claimed instanceof StockError) {
      this.end(claimed)
      return
    }
    const { clock, ledger, name } = this.#parts
    this.#till = claimed
    this.#epoch = claimed.epoch
    this.#taken = claimed.last
    this.#ack = claimed.last
    this.#ackPosition = claimed.recent(claimed.last)?.position ?? ledger.position
    this.#connection.send(encodeWelcome(name, clock.now(), claimed))
    done()
  }

  /** A line that is no message, or not now. */
  #fault(error: StockError, sent: Record<string, unknown> | undefined): void {
    const about = {
      ...(Number.isSafeInteger(sent?.seq) ? { seq: sent?.seq as number } : {}),
      ...(Number.isSafeInteger(sent?.ask) ? { ask: sent?.ask as number } : {}),
    }
    this.#say(() => encodeError(error, about))
    this.#errors++
    const { errorsPerSessionMax } = this.#parts.limits
    if (error.code === 'other_protocol') this.#finish()
    else if (this.#errors >= errorsPerSessionMax) this.end(new StockError('too_many_errors', `${this.#errors} bad lines in one session`))
  }

  /** Answers behind the transactions that are on their way. */
  #say(line: () => string): void {
    this.#inTurn(() => {
      if (this.#over) return
      this.#acknowledge()
      this.#connection.send(line())
    })
  }

  /** A result that no batch brings. */
  #result(text: string): void {
    this.#inTurn(() => {
      this.#results.push(text)
      this.#unsaid = true
      this.#acknowledge()
    })
  }

  /** Runs something behind all that was said before it: at once when nothing of that is on its way. */
  #inTurn(run: () => void): void {
    if (this.#inFlight === 0 && this.#behind === 0) {
      run()
      return
    }
    this.#behind++
    this.#parts.committer.after(() => {
      this.#behind--
      run()
      this.#holdWhileBusy()
    })
  }

  #acknowledge(): void {
    if (!this.#unsaid) return
    this.#unsaid = false
    const results = this.#results
    if (results.length > 0) this.#results = []
    this.#connection.send(encodeAck(this.#ack, this.#ackPosition, this.#parts.timeOfBatch(), results))
  }

  /** Stops reading until `done` is called: the connection holds the rest back. */
  #wait(work: (done: () => void) => void): void {
    this.#waiting = true
    this.#connection.pause()
    work(() => {
      this.#waiting = false
      this.#readOn()
      this.#connection.resume()
    })
  }

  /** While something is owed, a polite stop of the server waits for it. */
  #holdWhileBusy(): void {
    const busy = this.#inFlight > 0 || this.#behind > 0 || this.#waiting
    if (busy && !this.#over) {
      this.#release ??= this.#connection.hold()
    } else if (this.#release !== undefined) {
      this.#release()
      this.#release = undefined
    }
  }

  /** Ends the conversation once all that is due was said; nothing that comes behind is heeded. */
  #finish(): void {
    this.#ending = true
    this.#inTurn(() => {
      this.#acknowledge()
      this.#over = true
      this.#connection.end()
      this.#holdWhileBusy()
    })
  }

  #failed(error: unknown): void {
    this.#parts.fault(error)
    this.end(new StockError('internal', 'the server has a fault; try again later'))
  }
}

/** Whether a line has this hash: then it need not be read to know that it says the same. */
function hashesTo(line: string, { high, low }: ContentHash): boolean {
  const bytes = Buffer.from(line)
  hashContent(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length)
  return hashHigh === high && hashLow === low
}
