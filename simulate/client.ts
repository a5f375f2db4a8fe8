import { type Connection, dial, lines, NetError } from '@tillwire/net'
import { type Answer, encodeHello, type LevelRow, type WatchEvent } from '@tillwire/stock'
import { decodeReply, type Ledger, queryLevels, timerClock } from '@tillwire/stock/testing'
import { Machine } from './machine.ts'
import type { Network } from './network.ts'
import type { Random } from './random.ts'
import { SERVER } from './server-host.ts'
import { levelRow } from './snapshot.ts'
import type { Timeline } from './timeline.ts'
import { Violation } from './violation.ts'

/** Which levels are asked for, as it stands on the line. */
export type Question = Readonly<Record<string, string | number>>

/** What a client is made of. */
export interface ClientParts {
  readonly timeline: Timeline
  readonly network: Network
  readonly random: Random
}

const AGAIN_MS = 1_000
/** A line on which the time is not answered within this time is dead. */
const ALIVE_MS = 20_000

/** A read-only session, made again whenever its line breaks. */
abstract class Client {
  readonly machine: Machine
  protected readonly parts: ClientParts
  #connection: Connection<string, string> | undefined
  #awaitsTime = false

  constructor(name: string, parts: ClientParts) {
    this.parts = parts
    this.machine = new Machine(name, parts.timeline)
    this.machine.after(parts.random.wait(5_000), 'connects', () => void this.#connect())
  }

  protected abstract greeted(): void
  protected abstract heard(said: Answer | WatchEvent): void
  protected abstract lost(): void

  /** Lets the line be made anew: a person has closed the window and opened it again. */
  hangUp(): void {
    this.#connection?.abort()
  }

  protected send(message: object): void {
    this.#connection?.send(JSON.stringify(message))
  }

  async #connect(): Promise<void> {
    const { machine, parts } = this
    const again = (): void => {
      this.#connection = undefined
      this.lost()
      machine.after(AGAIN_MS, 'connects', () => void this.#connect())
    }
    const service = {
      name: machine.name,
      framing: lines(),
      message: (line: string): undefined => this.#said(line),
      closed: again,
    }
    try {
      const clock = timerClock(machine.clock)
      const connection = await dial(SERVER, service, { limits: { idleMs: 0 }, transport: parts.network.of(machine), clock })
      this.#connection = connection
      connection.send(encodeHello())
      this.#awaitsTime = false
      this.#stayAlive(connection)
    } catch (error) {
      if (!(error instanceof NetError)) throw error
      again()
    }
  }

  /** Asks for the time as long as the line lasts. */
  #stayAlive(connection: Connection<string, string> | undefined): void {
    if (connection !== this.#connection) return
    if (this.#awaitsTime) return this.hangUp()
    this.#awaitsTime = true
    this.send({ ask: 0, time: {} })
    this.machine.after(ALIVE_MS, 'asks for the time', () => this.#stayAlive(connection))
  }

  #said(line: string): undefined {
    const reply = decodeReply(line)
    if ('welcome' in reply) this.greeted()
    else if ('answer' in reply && reply.answer === 0) this.#awaitsTime = false
    else if ('answer' in reply || 'event' in reply) this.heard(reply)
    else if ('error' in reply) this.hangUp()
  }
}

/** Watches levels, and knows them as they were told. */
export class Watcher extends Client {
  readonly question: Question
  readonly #told: (told: Told) => void
  /** By location and item; undefined while nothing was told. */
  levels: Map<string, LevelRow> | undefined
  #position = 0

  constructor(name: string, parts: ClientParts, question: Question, told: (told: Told) => void) {
    super(name, parts)
    this.question = question
    this.#told = told
  }

  protected greeted(): void {
    this.send({ ask: 1, watch: this.question })
    this.#position = 0
  }

  protected heard(said: Answer | WatchEvent): void {
    if (said.levels === undefined) return
    if (said.position < this.#position) throw new Error(`${this.machine.name} hears of position ${said.position} after ${this.#position}`)
    this.#position = said.position
    this.#told({ who: this.machine.name, position: said.position, levels: said.levels })
    if ('answer' in said || this.levels === undefined) this.levels = new Map()
    for (const row of said.levels) this.levels.set(keyOfRow(row), row)
  }

  protected lost(): void {
    this.levels = undefined
  }

  /** Whether what it was told is what the ledger holds. @throws Violation */
  compare(ledger: Ledger): void {
    const levels = queryLevels(ledger, this.question, Number.MAX_SAFE_INTEGER).levels.map(levelRow)
    const unequal = levels.find((row) => {
      const told = this.levels?.get(keyOfRow(row))
      // A code that was another item's barcode for a while comes back with levels of 0 at which nothing happened since.
      if (told === undefined) return row.onHand !== 0 || row.reserved !== 0
      return JSON.stringify(row) !== JSON.stringify(told)
    })
    if (unequal === undefined) return
    const told = JSON.stringify(this.levels?.get(keyOfRow(unequal)))
    throw new Violation(`${this.machine.name} was not told of a level\ntold    ${told}\nledger  ${JSON.stringify(unequal)}`)
  }
}

function keyOfRow({ location, item }: LevelRow): string {
  return `${location} ${item}`
}

/** Levels that a watcher was told, to be compared with the ledger at their position. */
export interface Told {
  readonly who: string
  readonly position: number
  readonly levels: readonly LevelRow[]
}

/** An answer that was heard, to be compared with the ledger at its position. */
export interface Heard {
  readonly who: string
  readonly question: Question
  readonly answer: Answer
}

/** Asks for levels now and then. */
export class Buyer extends Client {
  readonly #ask: () => Question
  readonly #answered: (heard: Heard) => void
  readonly #questions = new Map<number, Question>()
  #asks = 0

  constructor(name: string, parts: ClientParts, ask: () => Question, answered: (heard: Heard) => void) {
    super(name, parts)
    this.#ask = ask
    this.#answered = answered
  }

  protected greeted(): void {
    this.#next()
  }

  protected heard(said: Answer | WatchEvent): void {
    if (!('answer' in said)) return
    const question = this.#questions.get(said.answer)
    this.#questions.delete(said.answer)
    if (question === undefined) throw new Error(`${this.machine.name} hears an answer to ${said.answer}, which it did not ask`)
    this.#answered({ who: this.machine.name, question, answer: said })
    this.machine.after(this.parts.random.wait(120_000), 'asks', () => this.#next())
  }

  protected lost(): void {
    this.#questions.clear()
  }

  #next(): void {
    const question = this.#ask()
    this.#questions.set(++this.#asks, question)
    this.send({ ask: this.#asks, levels: question })
  }
}
