import { lineBlocks, type NetError, type Service } from '@tillwire/net'
import { StockError, type StockErrorCode } from '../errors.ts'
import type { TillState } from '../ledger/index.ts'
import type { StockLimits } from '../limits.ts'
import { encodeError, formatTime } from '../protocol/index.ts'
import { Registrar } from './registrar.ts'
import { Session, type StockConnection } from './session.ts'
import type { SessionParts, SessionsParts, TillHolder } from './session-parts.ts'

/** All sessions of a server, as the service that the server runs. */
export class Sessions implements Service<Buffer, string, Session> {
  readonly name = 'stock'
  readonly framing: ReturnType<typeof lineBlocks> = lineBlocks()
  readonly #parts: SessionParts
  readonly #registrar: Registrar
  readonly #byTill = new Map<string, TillHolder>()
  #recorded = -1
  #recordedText = ''

  constructor(parts: SessionsParts) {
    this.#registrar = new Registrar(parts)
    this.#parts = {
      ...parts,
      claim: (till, epoch, holder, claimed) => this.#claim(till, epoch, holder, claimed),
      leave: (till, holder) => {
        if (this.#byTill.get(till) === holder) this.#byTill.delete(till)
      },
      timeOfBatch: () => this.#timeOfBatch(),
    }
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

  #claim(name: string, epoch: number, holder: TillHolder, claimed: (till: TillState | StockError) => void): void {
    const { committer, ledger } = this.#parts
    // First everything that was taken so far: only then is it known which epoch the till is in.
    committer.after(() => {
      const known = this.#registrar.epochOf(name)
      if (known !== undefined && epoch !== 0 && epoch < known) {
        claimed(new StockError('epoch_fenced', `till ${name} is in epoch ${known} now; epoch ${epoch} can post no more`))
        return
      }
      if (holder.over) return
      this.#byTill.get(name)?.end(new StockError('session_replaced', `till ${name} has connected again`))
      this.#byTill.set(name, holder)
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
  }
  const [code, message] = words[error.code] ?? ['internal', error.message]
  return new StockError(code, message, { cause: error })
}
