import type { Tillwire } from '../contenders/tillwire.ts'
import { Load } from '../load/load.ts'
import type { LoadResult } from '../load/load-settings.ts'
import { CATCHING_UP } from './turn.ts'

/** What a load by the clock showed. */
export interface Paced extends LoadResult {
  readonly perSecond: number
}

/** Receipts by the clock, at half of what the server took at its best; the projection works meanwhile. */
export async function measurePaced({ port, dialect }: Tillwire, most: number, ms: number): Promise<Paced> {
  const perSecond = Math.round(most / 2)
  const requests = Math.ceil((perSecond * ms) / 1000 / CATCHING_UP.clients)
  await using load = await Load.prepare({ ...CATCHING_UP, dialect, port, requests, turn: 0, perSecond, onTheFly: true })
  return { perSecond, ...(await load.run()) }
}
