import { StockError } from '@tillwire/stock'
import { type Log, type LogBatch, type LogHead, type LogRecord, MemoryLog } from '@tillwire/stock/testing'
import type { Machine } from './machine.ts'
import type { Random } from './random.ts'

/** The disk of the log: what is on it outlives whoever wrote it. */
export class Disk {
  log: MemoryLog
  /** It is full: nothing is written. */
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

  /** A write on its way to the disk: it arrives also where the machine is gone meanwhile, or it does not. */
  write(machine: Machine, batch: LogBatch, done: (head: LogHead | StockError) => void): void {
    const body = Buffer.from(batch.body)
    const { log } = this
    const survives = this.#random.chance(0.5)
    machine.timeline.after(this.#random.wait(this.writeMs), `${machine.name} disk`, () => {
      if (this.log !== log || (!machine.alive && !survives)) return
      if (this.full) return done(new StockError('log_unwritable', 'the disk is full'))
      if (this.loses) {
        this.loses = false
        machine.after(0, 'loses its writer', () => done(new StockError('log_lost', 'the writer of the log is gone')))
        if (!survives) return
      }
      const sealed = { ...batch, body }
      const appended = log.append(sealed)
      const told = machine.alive ? this.#random.wait(this.writeMs / 2) : 0
      appended.then(
        (head) => {
          this.#written(sealed)
          machine.after(told, 'written', () => done(head))
        },
        (error) => machine.after(told, 'not written', () => done(error)),
      )
    })
  }
}

/** A log as one machine knows it: where it ends is what this machine wrote last. */
class OpenLog implements Log {
  readonly id: string
  readonly #disk: Disk
  readonly #machine: Machine
  readonly #log: MemoryLog
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
      this.#disk.write(this.#machine, batch, (answer) => {
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
