import { lineBlocks, type NetError, type Service } from '@tillwire/net'
import type { Clock } from '../clock.ts'
import type { Committer } from '../committer/index.ts'
import { StockError, type StockErrorCode } from '../errors.ts'
import type { Ledger, TillState } from '../ledger/index.ts'
import type { StockLimits } from '../limits.ts'
import { encodeError, formatTime } from '../protocol/index.ts'
import type { Archive } from './recall.ts'
import { Registrar } from './registrar.ts'
import { Session, type StockConnection } from './session.ts'
import type { Watches } from './watches.ts'

/** What the sessions work with. */
export interface SessionsParts {
  /** The server's name in a welcome. */
  readonly name: string
  readonly ledger: Ledger
  readonly committer: Committer
  readonly archive: Archive
  readonly watches: Watches
  readonly clock: Clock
  readonly limits: StockLimits
  readonly fault: (error: unknown) => void
}

/** What one session sees of the others. */
export interface SessionParts extends SessionsParts {
  /** Takes a till over: the session that had it hears `session_replaced`. Answers when everything that one posted is applied. */
  claim(till: string, epoch: number, session: Session, claimed: (till: TillState | StockError) => void): void
  leave(till: string, session: Session): void
  /** The time to say with an acknowledgement: the same text for all sessions of a batch. */
  timeOfBatch(): string
}

/** All sessions of a server, as the service that the server runs. */
export class Sessions implements Service<Buffer, string, Session> {
  readonly name = 'stock'
  readonly framing: ReturnType<typeof lineBlocks> = lineBlocks()
  readonly #parts: SessionParts
  readonly #registrar: Registrar
  readonly #byTill = new Map<string, Session>()
  #recorded = -1
  #recordedText = ''

  constructor(parts: SessionsParts) {
    this.#registrar = new Registrar(parts)
    this.#parts = {
      ...parts,
      claim: (till, epoch, session, claimed) => this.#claim(till, epoch, session, claimed),
      leave: (till, session) => {
        if (this.#byTill.get(till) === session) this.#byTill.delete(till)
      },
      timeOfBatch: () => this.#timeOfBatch(),
    }
  }

  /** Tills that are connected now. */
  get tills(): readonly string[] {
    return [...this.#byTill.keys()]
  }

  opened(connection: StockConnection): Session {
    return new Session(this.#parts, connection)
  }

  message(block: Buffer, connection: { readonly state: Session }): undefined {
    connection.state.read(block)
  }

  closed(connection: { readonly state: Session }): void {
    connection.state.closed()
  }

  farewell(error: NetError): string | undefined {
    return encodeError(inOurWords(error, this.#parts.limits))
  }

  #claim(name: string, epoch: number, session: Session, claimed: (till: TillState | StockError) => void): void {
    const { committer, ledger } = this.#parts
    // First everything that was taken so far: only then is it known which epoch the till is in.
    committer.after(() => {
      const known = this.#registrar.epochOf(name)
      if (known !== undefined && epoch !== 0 && epoch < known) {
        claimed(new StockError('epoch_fenced', `till ${name} is in epoch ${known} now; epoch ${epoch} can post no more`))
        return
      }
      if (session.over) return
      this.#byTill.get(name)?.end(new StockError('session_replaced', `till ${name} has connected again`))
      this.#byTill.set(name, session)
      if (epoch === known) committer.after(() => claimed(ledger.till(name)))
      else this.#registrar.register(name, epoch, claimed)
    })
  }

  #timeOfBatch(): string {
    const { ledger, clock } = this.#parts
    const recorded = ledger.recorded === 0 ? clock.now() : ledger.recorded
    if (recorded !== this.#recorded) {
      this.#recorded = recorded
      this.#recordedText = formatTime(recorded)
    }
    return this.#recordedText
  }
}

/** What the connection says of a peer's fault, in the words of the protocol. */
function inOurWords(error: NetError, limits: StockLimits): StockError {
  const words: Partial<Record<NetError['code'], [StockErrorCode, string]>> = {
    frame_too_large: ['line_too_long', `a line may have ${limits.lineBytesMax} bytes`],
    frame_incomplete: ['line_incomplete', 'the last line has no line feed; it was not taken'],
    frame_timeout: ['line_timeout', 'a line was begun and not completed in time'],
    too_many_connections: ['too_many_connections', error.message],
    too_many_from_address: ['too_many_connections', error.message],
    slow_peer: ['slow_peer', error.message],
    server_closing: ['stopping', 'the server is stopping'],
  }
  const [code, message] = words[error.code] ?? ['internal', error.message]
  return new StockError(code, message, { cause: error })
}
