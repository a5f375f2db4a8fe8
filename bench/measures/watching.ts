import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { Tillwire } from '../contenders/tillwire.ts'
import type { Form } from '../form.ts'
import { Histogram } from '../load/histogram.ts'
import type { WatchResult, WatchSettings } from '../load/watch-settings.ts'
import { CATCHING_UP, takeTurn } from './turn.ts'

const WATCHERS = 1_000

/** What watchers cost and see. */
export interface Watching {
  readonly watchers: number
  /** The posting rate with them over that without them: the quotient of each round. */
  readonly quotients: readonly number[]
  readonly eventsPerSecond: number
  /** Milliseconds from a sale's acknowledgement to its event, in all rounds. */
  readonly p50: number
  readonly p99: number
  readonly most: number
}

/** The full load with and without watchers, in turn. */
export async function measureWatching(server: Tillwire, perSecond: number, { rounds, turnMs }: Form): Promise<Watching> {
  const receipts = (perSecond * turnMs) / 1000
  const quotients: number[] = []
  const delays = new Histogram()
  let events = 0
  let seconds = 0
  for (let round = 0; round < rounds; round++) {
    const alone = await takeTurn(server, CATCHING_UP, receipts)
    const worker = new Worker(new URL('../load/watch-thread.ts', import.meta.url), {
      workerData: { port: server.port, watchers: WATCHERS } satisfies WatchSettings,
    })
    try {
      await once(worker, 'message')
      worker.postMessage('go')
      const watched = await takeTurn(server, CATCHING_UP, receipts)
      worker.postMessage('enough')
      const [seen] = (await once(worker, 'message')) as [WatchResult]
      events += seen.events
      for (const ms of seen.delays) delays.note(ms)
      quotients.push(watched.receiptsPerSecond / alone.receiptsPerSecond)
      seconds += watched.seconds
    } finally {
      await worker.terminate()
    }
  }
  const eventsPerSecond = events / seconds
  return { watchers: WATCHERS, quotients, eventsPerSecond, p50: delays.quantile(0.5), p99: delays.quantile(0.99), most: delays.most }
}
