import { EMPTY_HEAD, LOG_LIMITS, type Log, type LogBatch, type LogHead, type LogRecord, MemoryLog } from '../../src/log/index.ts'

interface Held {
  readonly batch: LogBatch
  resolve(head: LogHead): void
  reject(error: unknown): void
}

/** A log in memory whose writes wait until a test lets them through, or refuses them. */
export class HeldLog implements Log {
  readonly #log = new MemoryLog()
  readonly #held: Held[] = []
  #handed: (() => void) | undefined
  /** How many transactions each batch held that was handed in. */
  readonly tried: number[] = []

  get id(): string {
    return this.#log.id
  }

  get head(): LogHead {
    return this.#log.head ?? EMPTY_HEAD
  }

  append(batch: LogBatch): Promise<LogHead> {
    if (this.#held.length === LOG_LIMITS.appendsMax) throw new Error('too many appends at a time')
    this.tried.push(batch.count)
    return new Promise((resolve, reject) => {
      this.#held.push({ batch, resolve, reject })
      this.#handed?.()
    })
  }

  /** Resolves once a write waits. */
  async handed(): Promise<void> {
    while (this.#held.length === 0) await new Promise<void>((resolve) => (this.#handed = resolve))
  }

  /** Lets the oldest write through that waits; resolves when its answers were given. */
  async write(): Promise<void> {
    const held = this.#take()
    await this.#log.append(held.batch).then(held.resolve, held.reject)
    await settled()
  }

  /** Says of the oldest write that waits that it is durable, and it is not. */
  async pretend(): Promise<void> {
    this.#take().resolve(this.#log.head)
    await settled()
  }

  /** Refuses the oldest write that waits. */
  async refuse(reason: unknown): Promise<void> {
    this.#take().reject(reason)
    await settled()
  }

  read(from: number, before?: LogHead): AsyncIterable<LogRecord> {
    return this.#log.read(from, before)
  }

  follow(from: number, signal: AbortSignal): AsyncIterable<LogRecord> {
    return this.#log.follow(from, signal)
  }

  close(): Promise<void> {
    return this.#log.close()
  }

  #take(): Held {
    const held = this.#held.shift()
    if (held === undefined) throw new Error('nothing is being written')
    return held
  }
}

/** Everything that was waiting for a promise has run. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
