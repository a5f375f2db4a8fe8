import { lineBlocks, type NetError, type Service } from '@tillwire/net'
import { StockError, type StockErrorCode } from '../errors.ts'
import type { TillState } from '../ledger/index.ts'
import type { StockLimits } from '../limits.ts'
import { encodeError, formatTime } from '../protocol/index.ts'
import { Fights } from './fights.ts'
import { OfferedIds } from './offered-ids.ts'
import { Registrar } from './registrar.ts'
import { ServerTill } from './server-till.ts'
import { Session, type StockConnection } from './session.ts'
import type { SessionParts, SessionsParts, TillHello, TillHolder } from './session-parts.ts'
import { Ticker } from './ticker.ts'

/** A hello of a till that waits behind the log, and the epoch that it will be in as far as is known. */
interface Claim {
  readonly holder: TillHolder
  readonly epoch: number
  /** Waits no more. */
  giveUp: () => void
}

/** All sessions of a server, as the service that the server runs. */
export class Sessions implements Service<Buffer, string, Session> {
  readonly name = 'stock'
  readonly framing: ReturnType<typeof lineBlocks> = lineBlocks()
  readonly #parts: SessionParts
  readonly #registrar: Registrar
  readonly #ticker: Ticker
  readonly #fights: Fights
  readonly #byTill = new Map<string, TillHolder>()
  /** At most one for each till: while the log refuses to be written, a till that connects again and again leaves nothing behind. */
  readonly #claims = new Map<string, Claim>()
  /** Epochs that tills were given without asking, at most one for each: who did not hear of it comes back with the one before. */
  readonly #given = new Map<string, number>()
  #recorded = -1
  #recordedText = ''

  constructor(parts: SessionsParts) {
    const server = new ServerTill(parts)
    this.#registrar = new Registrar(parts, server)
    this.#ticker = new Ticker(parts, server)
    this.#fights = new Fights(parts)
    this.#parts = {
      ...parts,
      claim: (hello, holder, claimed) => this.#claim(hello, holder, claimed),
      leave: (till, holder) => {
        if (this.#byTill.get(till) === holder) this.#byTill.delete(till)
        this.#unclaim(till, holder)
      },
      connected: () => new Set(this.#byTill.keys()),
      offeredIds: new OfferedIds(parts),
      timeOfBatch: () => this.#timeOfBatch(),
    }
  }

  /** The ledger is where the log is: at the start, and again whenever a batch was applied. */
  applied(): void {
    this.#ticker.look()
  }

  /** Posts nothing more of its own. */
  close(): void {
    this.#ticker.close()
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

  #claim(hello: TillHello, holder: TillHolder, claimed: (till: TillState | StockError) => void): void {
    const { till: name } = hello
    const claim = this.#await(name, hello.epoch, holder)
    if (claim === undefined) return
    const { committer, ledger } = this.#parts
    const decided = (answer: TillState | StockError): void => {
      this.#unclaim(name, holder)
      claimed(answer)
    }
    // First everything that was taken so far: only then is it known which epoch the till is in.
    claim.giveUp = committer.after(() => {
      if (holder.over) return
      const known = this.#registrar.epochOf(name)
      const epoch = this.#isUnheard(hello, known) ? known : hello.epoch
      if (known !== undefined && epoch !== 0 && epoch < known) {
        decided(new StockError('epoch_fenced', `till ${name} is in epoch ${known} now; epoch ${epoch} can post no more`))
        return
      }
      this.#replace(name, holder)
      if (epoch !== known) {
        this.#registrar.register(name, epoch, decided)
        return
      }
      claim.giveUp = committer.after(() => {
        if (holder.over) return
        const till = ledger.till(name)
        if (epoch !== hello.epoch || !hasOtherLines(hello, till)) {
          decided(till)
          return
        }
        this.#given.set(name, epoch + 1)
        this.#registrar.register(name, 0, decided)
      })
    })
  }

  /** Whether this till was moved on to the epoch that it is in without asking, and may never have heard the welcome that said so. */
  #isUnheard({ till: name, epoch }: TillHello, known: number | undefined): known is number {
    const given = this.#given.get(name)
    if (given === undefined) return false
    if (given === known && epoch === known - 1 && this.#parts.ledger.till(name).last === 0) return true
    if (given !== known || epoch === known) this.#given.delete(name)
    return false
  }

  /** The newest connection of a till has it; the one before hears so. */
  #replace(name: string, holder: TillHolder): void {
    const before = this.#byTill.get(name)
    this.#byTill.set(name, holder)
    if (before === undefined) return
    before.end(replaced(name))
    this.#fights.replaced(name)
  }

  /**
   * Makes a hello the one that waits for its till. It ends the one before it at once, which has nothing in flight; of two epochs the
   * later one stays, so that a machine that is being taken over cannot keep its successor out by connecting again.
   */
  #await(name: string, epoch: number, holder: TillHolder): Claim | undefined {
    const target = epoch === 0 ? (this.#registrar.epochOf(name) ?? 0) + 1 : epoch
    const waiting = this.#claims.get(name)
    if (waiting !== undefined && target < waiting.epoch) {
      holder.end(replaced(name))
      return undefined
    }
    const claim = { holder, epoch: target, giveUp: () => {} }
    this.#claims.set(name, claim)
    waiting?.giveUp()
    waiting?.holder.end(replaced(name))
    return claim
  }

  #unclaim(name: string, holder: TillHolder): void {
    const claim = this.#claims.get(name)
    if (claim?.holder !== holder) return
    this.#claims.delete(name)
    claim.giveUp()
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

/** A till that was restored or cloned has posted other lines under the same numbers: its chain shows it, as far as the server remembers. */
function hasOtherLines({ last, chain }: TillHello, till: TillState): boolean {
  if (last === undefined || chain === undefined) return false
  const known = till.chainAt(last)
  return known !== undefined && known !== chain
}

function replaced(name: string): StockError {
  return new StockError('session_replaced', `till ${name} has connected again`)
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
