import type { Log, LogHead, LogRecord } from './log.ts'
import { headOf } from './record.ts'

/** Lets those who follow a log wait for it to grow. */
export class Growth {
  #waiting: (() => void)[] = []

  /** The log has grown. */
  happened(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  next(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        signal.removeEventListener('abort', done)
        resolve()
      }
      signal.addEventListener('abort', done)
      this.#waiting.push(done)
    })
  }
}

/** Reads a log to its head, and on as it grows. */
export async function* followLog(log: Log, growth: Growth, from: number, signal: AbortSignal): AsyncGenerator<LogRecord, void, undefined> {
  let next = from
  let before: LogHead | undefined
  while (!signal.aborted) {
    if (log.head.next <= next) {
      await growth.next(signal)
      continue
    }
    for await (const record of log.read(next, before)) {
      if (signal.aborted) return
      yield record
      before = headOf(record)
      next = before.next
    }
  }
}
