import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { Tillwire } from '../contenders/tillwire.ts'
import type { Form } from '../form.ts'
import type { WatchResult, WatchSettings } from '../load/watch-settings.ts'
import { CATCHING_UP, takeTurn } from './turn.ts'

const WATCHERS = 1_000

/** What watchers cost and see. */
export interface Watching {
  readonly watchers: number
  /** The posting rate with them over that without them: the quotient of each round. */
  readonly quotients: readonly number[]
  readonly eventsPerSecond: number
  /** Milliseconds from a sale's acknowledgement to its event, in all rounds; the worst round's. */
  readonly p50: number
  readonly p99: number
  readonly most: number
}

/** The full load with and without watchers, in turn. */
export async function measureWatching(server: Tillwire, perSecond: number, { rounds, turnMs }: Form): Promise<Watching> {
  const receipts = (perSecond * turnMs) / 1000
  const quotients: number[] = []
  const seen: WatchResult[] = []
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
      seen.push((await once(worker, 'message'))[0])
      quotients.push(watched.receiptsPerSecond / alone.receiptsPerSecond)
      seconds += watched.seconds
    } finally {
      await worker.terminate()
    }
  }
  const worst = (figure: 'p50' | 'p99' | 'most'): number => Math.max(...seen.map((one) => one[figure]))
  const events = seen.reduce((sum, one) => sum + one.events, 0)
  return { watchers: WATCHERS, quotients, eventsPerSecond: events / seconds, p50: worst('p50'), p99: worst('p99'), most: worst('most') }
}
