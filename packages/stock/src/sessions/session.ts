import type { Connection } from '@tillwire/net'
import type { Source } from '../committer/index.ts'
import { StockError } from '../errors.ts'
import type { Found, Result, TillState, Transaction } from '../ledger/index.ts'
import {
  type Ask,
  decodeRequest,
  decodeTransaction,
  encodeAck,
  encodeError,
  encodeGap,
  encodeResult,
  encodeWelcome,
  type Hello,
  hashContent,
  hashHigh,
  hashLow,
  LineReader,
  parseObject,
} from '../protocol/index.ts'
import { Asks } from './asks.ts'
import { Lookups } from './lookups.ts'
import { Repeats } from './repeats.ts'
import type { SessionParts, TillHello, TillHolder } from './session-parts.ts'

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
  /** The till that is ours. */
  #till: TillState | undefined
  #lookups: Lookups | undefined
  #repeats: Repeats | undefined
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
  #errors = 0
  #ending = false
  #over = false

  constructor(parts: SessionParts, connection: StockConnection) {
    this.#parts = parts
    this.#connection = connection
    this.#asks = new Asks(
      parts,
      connection,
      (line) => this.#say(line),
      (line) => this.#answerLater(line),
    )
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
    this.#lookups?.close()
    if (this.#name !== undefined) this.#parts.leave(this.#name, this)
  }

  posted(seq: number, position: number, result: Result): void {
    this.#inFlight--
    this.#ack = seq
    this.#ackPosition = position
    this.#unsaid = true
    const { refused, flags, again } = result
    if (refused !== undefined || again !== undefined || flags.length > 0) this.#results.push(encodeResult(seq, result))
  }

  settled(): void {
    this.#acknowledge()
    this.#holdWhileBusy()
  }

  /** Works through the block until its end, or until something has to be waited for. */
  #readOn(): void {
    if (this.#reading) return
    this.#reading = true
    while (this.#mayRead() && this.#reader?.next()) this.#line(this.#reader)
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
    return this.#reader?.hasMore === true
  }

  #line(reader: LineReader): void {
    let sent: { readonly seq?: unknown; readonly ask?: unknown } | undefined
    try {
      const usual = reader.usual()
      if (usual !== undefined) {
        sent = usual
        this.#transaction(usual)
        return
      }
      const text = reader.text()
      if (text === undefined) throw new StockError('bad_json', 'the line is not UTF-8')
      if (text.trimStart() === '') return
      const object = parseObject(text)
      sent = object
      if (object.seq !== undefined) this.#transaction(decodeTransaction(object))
      else this.#request(decodeRequest(object))
    } catch (error) {
      if (error instanceof StockError) this.#fault(error, sent)
      else this.#failed(error)
    }
  }

  #transaction(transaction: Transaction): void {
    const { seq } = transaction
    if (this.#lookups === undefined) {
      throw this.#greeted
        ? new StockError('read_only', 'this session said hello without a till')
        : new StockError('hello_first', 'say hello first')
    }
    if (seq > this.#taken + 1) this.#result(encodeGap(seq, this.#taken + 1))
    else if (seq <= this.#taken) this.#repeat(transaction)
    else if (this.#lookups.needs(transaction)) this.#lookUp(transaction, this.#lookups)
    else this.#take(transaction)
  }

  /** The next number is on its way to the log. */
  #take(transaction: Transaction, found?: Found): void {
    const { start, end } = this.#reader as LineReader
    hashContent(this.#view as DataView, start, end)
    this.#repeats?.forget()
    this.#taken = transaction.seq
    this.#inFlight++
    this.#parts.committer.add(this, transaction, hashHigh, hashLow, this.#block as Buffer, start, end, found)
  }

  /** Takes it once it is known what it means. Who is replaced meanwhile takes nothing any more: the next session has been told its last number. */
  #lookUp(transaction: Transaction, lookups: Lookups): void {
    this.#wait((done) => {
      const take = (found: Found | undefined): void => {
        if (!this.#ending && !this.#over) this.#take(transaction, found)
        done()
      }
      lookups
        .find(transaction)
        .then(take)
        .catch((error) => this.#failed(error))
    })
  }

  /** Answers a number that was used before, once everything that was taken is applied. */
  #repeat(transaction: Transaction): void {
    const { start, end } = this.#reader as LineReader
    hashContent(this.#view as DataView, start, end)
    const hash = { high: hashHigh, low: hashLow }
    const answer = async (): Promise<void> => {
      const text = await (this.#repeats as Repeats).answer(transaction, hash)
      if (!this.#over) this.#result(text)
    }
    this.#wait((done) => this.#parts.committer.after(() => void answer().then(done, (error) => this.#failed(error))))
  }

  /** Sends what takes time to find, behind all that was said before. */
  #answerLater(line: () => Promise<string>): void {
    const answer = async (): Promise<void> => {
      const text = await line()
      this.#say(() => text)
    }
    this.#wait((done) => this.#parts.committer.after(() => void answer().then(done, (error) => this.#failed(error))))
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
    const { clock, name, log } = this.#parts
    if (hello.log !== undefined && hello.log !== log) {
      const words = `${hello.till} has posted to the log ${hello.log} until now, and this server's is ${log}`
      this.end(new StockError('other_log', words, { field: 'log' }))
      return
    }
    this.#name = hello.till
    if (hello.till === undefined) this.#connection.send(encodeWelcome(name, clock.now()))
    else this.#wait((done) => this.#parts.claim(hello as TillHello, this, (claimed) => this.#claimed(claimed, done)))
  }

  /** The till is ours, at this epoch; or it is not, for this reason. */
  #claimed(claimed: TillState | StockError, done: () => void): void {
    if (this.#over) return
    if (claimed instanceof StockError) {
      this.end(claimed)
      return
    }
    const { clock, ledger, name, log } = this.#parts
    this.#till = claimed
    this.#lookups = new Lookups(this.#parts, claimed)
    this.#repeats = new Repeats(this.#parts, claimed)
    this.#epoch = claimed.epoch
    this.#taken = claimed.last
    this.#ack = claimed.last
    this.#ackPosition = claimed.recent(claimed.last)?.position ?? ledger.position
    this.#connection.send(encodeWelcome(name, clock.now(), claimed, log))
    done()
  }

  /** A line that is no message, or not now. */
  #fault(error: StockError, sent: { readonly seq?: unknown; readonly ask?: unknown } | undefined): void {
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
    const told = error instanceof StockError && error.code === 'archive_unavailable'
    this.end(told ? error : new StockError('internal', 'the server has a fault; try again later'))
  }
}
