import type { Contender } from '../contenders/contender.ts'
import { Load } from '../load/load.ts'
import type { LoadResult } from '../load/load-settings.ts'
import { CATCHING_UP } from './turn.ts'

/** What a load by the clock showed. */
export interface Paced extends LoadResult {
  readonly contender: Contender['name']
  readonly perSecond: number
}

/** Receipts by the clock, `ms` long; tillwire's projection works meanwhile. */
export async function measurePaced({ name, port, dialect }: Contender, perSecond: number, ms: number): Promise<Paced> {
  const requests = Math.ceil((perSecond * ms) / 1000 / CATCHING_UP.clients)
  await using load = await Load.prepare({ ...CATCHING_UP, dialect, port, requests, turn: 0, perSecond, onTheFly: true })
  return { contender: name, perSecond, ...(await load.run()) }
}
