import { StockError } from '@tillwire/stock'
import { type Log, type LogBatch, type LogHead, type LogRecord, MemoryLog } from '@tillwire/stock/testing'
import type { Machine } from './machine.ts'
import type { Random } from './random.ts'

/** What happens one behind the other is so far apart at least: times of the day are numbers of no more than three decimals. */
const APART_MS = 0.001

/** The disk of the log: what is on it outlives whoever wrote it. */
export class Disk {
  log: MemoryLog
  /** It is full but for what is freed now and then: most writes are refused. */
  full = false
  /** Whoever writes the next batch is lost with it, before it is on the disk or behind that. */
  loses = false
  /** How long a write takes, in milliseconds. */
  writeMs = 2
  readonly #random: Random
  /** Hears what is durable now. */
  readonly #written: (record: LogBatch) => void

  constructor(random: Random, written: (record: LogBatch) => void) {
    this.#random = random
    this.#written = written
    this.log = new MemoryLog(random.uuid(0))
  }

  /** The log as a machine has it open. */
  open(machine: Machine): Log {
    return new OpenLog(this, machine, this.log)
  }

  /** A write on its way to the disk, behind those of its writer: it arrives also where the machine is gone meanwhile, or it does not. */
  write(machine: Machine, writer: Writer, batch: LogBatch, done: (head: LogHead | StockError) => void): void {
    const body = Buffer.from(batch.body)
    const { log } = this
    const { timeline } = machine
    const survives = this.#random.chance(0.5)
    const tell = (answer: LogHead | StockError, ms: number, label: string): void => {
      writer.told = Math.max(writer.told + APART_MS, timeline.now + ms)
      machine.after(writer.told - timeline.now, label, () => done(answer))
    }
    writer.reached = Math.max(writer.reached + APART_MS, timeline.now) + this.#random.wait(this.writeMs)
    timeline.after(writer.reached - timeline.now, `${machine.name} disk`, () => {
      if (this.log !== log || (!machine.alive && !survives)) return
      if (writer.lost) return tell(new StockError('log_lost', 'the writer of the log is gone'), 0, 'has lost its writer')
      if (this.full && this.#random.chance(0.7)) return tell(new StockError('log_unwritable', 'the disk is full'), 0, 'disk full')
      if (this.loses) {
        this.loses = false
        writer.lost = true
        tell(new StockError('log_lost', 'the writer of the log is gone'), 0, 'loses its writer')
        if (!survives) return
      }
      const sealed = { ...batch, body }
      const appended = log.append(sealed)
      const told = machine.alive ? this.#random.wait(this.writeMs / 2) : 0
      appended.then(
        (head) => {
          this.#written(sealed)
          tell(head, told, 'written')
        },
        (error) => tell(error as StockError, told, 'not written'),
      )
    })
  }
}

/** Whoever writes for one machine: it takes one write after the other, and answers in that order. */
interface Writer {
  /** When its last write reaches the disk. */
  reached: number
  /** When its last answer is heard. */
  told: number
  /** It is gone, and writes nothing any more. */
  lost: boolean
}

/** A log as one machine knows it: where it ends is what this machine wrote last. */
class OpenLog implements Log {
  readonly id: string
  readonly #disk: Disk
  readonly #machine: Machine
  readonly #log: MemoryLog
  readonly #writer: Writer = { reached: 0, told: 0, lost: false }
  #head: LogHead

  constructor(disk: Disk, machine: Machine, log: MemoryLog) {
    this.id = log.id
    this.#disk = disk
    this.#machine = machine
    this.#log = log
    this.#head = log.head
  }

  get head(): LogHead {
    return this.#head
  }

  append(batch: LogBatch): Promise<LogHead> {
    return new Promise((resolve, reject) => {
      this.#disk.write(this.#machine, this.#writer, batch, (answer) => {
        if (answer instanceof StockError) return reject(answer)
        this.#head = answer
        resolve(answer)
      })
    })
  }

  read(from: number, before?: LogHead): AsyncIterable<LogRecord> {
    return this.#log.read(from, before)
  }

  follow(from: number, signal: AbortSignal): AsyncIterable<LogRecord> {
    return this.#log.follow(from, signal)
  }

  async close(): Promise<void> {}
}
