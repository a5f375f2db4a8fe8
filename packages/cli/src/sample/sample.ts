import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Draft, type StockServer, Till } from '@tillwire/stock'
import type { Logger } from 'pino'
import { oneLine } from '../failure.ts'
import { DEFAULT_ENDPOINT } from '../options.ts'
import { ITEMS, LOCATIONS } from './chain.ts'

/** What the office posts under; also the mark that this ledger began as a sample. */
const OFFICE = 'W01/OFFICE'
const TILLS_PER_STORE = 2
/** A customer every so often at each till. */
const PAUSE_MS = { least: 1_500, most: 6_000 }

/** The simulated tills, while they sell. */
export interface RunningSample {
  close(): Promise<void>
}

/**
 * Writes the sample chain to an empty ledger and lets its tills sell. On the ledger of an earlier sample the tills go on; on any other
 * ledger nothing is done.
 *
 * @param folder - where the outboxes of the simulated tills lie
 */
export async function runSample(server: StockServer, folder: string, log: Logger): Promise<RunningSample | undefined> {
  const officeOutbox = join(folder, 'office')
  if (server.position > 0 && !existsSync(officeOutbox)) {
    log.warn('the ledger is not empty and is no sample: no tills are simulated')
    return undefined
  }
  const endpoint = server.endpoints[0] as string
  await defineChain(endpoint, officeOutbox)
  const stop = new AbortController()
  const tills: Till[] = []
  const selling: Promise<void>[] = []
  for (const { code } of LOCATIONS.filter(({ type }) => type === 'store')) {
    for (let number = 1; number <= TILLS_PER_STORE; number++) {
      const till = new Till({ till: `${code}/T${number}`, outbox: join(folder, `${code}-T${number}`), server: endpoint })
      tills.push(till)
      selling.push(
        sell(till, code, stop.signal).catch((error) => log.warn({ reason: oneLine(error) }, `till ${code}/T${number} sells no more`)),
      )
    }
  }
  log.info(`sample chain: ${LOCATIONS.length} locations, ${ITEMS.length} items, ${tills.length} simulated tills are selling`)
  const where = endpoint === DEFAULT_ENDPOINT ? '' : ` --server ${endpoint}`
  log.info(`look at it from another terminal: npx tillwire watch${where}, npx tillwire levels --location S01${where}`)
  return {
    async close() {
      stop.abort()
      await Promise.all(selling)
      await Promise.all(tills.map((till) => till.close()))
    },
  }
}

async function defineChain(server: string, outbox: string): Promise<void> {
  await using office = new Till({ till: OFFICE, outbox, server })
  if (office.last === 0) office.postAll(openingOf(Date.now()))
  await office.greeted() // outboxes of another sample are told so here
  await office.settled()
}

function openingOf(at: number): Draft[] {
  return [
    ...LOCATIONS.map(({ code, name, type }): Draft => ({ kind: 'location', at, location: code, name, type })),
    ...ITEMS.map(({ code, name, barcode }): Draft => ({ kind: 'item', at, item: code, name, unit: 'each', barcodes: [barcode] })),
    ...LOCATIONS.map(({ code, type }): Draft => {
      const most = type === 'store' ? 200 : 5_000
      return { kind: 'opening', at, location: code, lines: ITEMS.map((item) => ({ item: item.code, quantity: between(most / 2, most) })) }
    }),
  ]
}

/** Sells at a human pace, and takes goods in now and then, so that the chain lives for days. */
async function sell(till: Till, location: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await sleep(between(PAUSE_MS.least, PAUSE_MS.most), undefined, { signal }).catch(() => {})
    if (signal.aborted) return
    const at = Date.now()
    const kind = Math.random() < 0.05 ? 'receipt' : 'sale'
    const lines = Array.from({ length: between(1, 5) }, () => {
      const item = ITEMS[Math.floor(ITEMS.length * Math.random() ** 2)] as (typeof ITEMS)[number]
      return { item: kind === 'sale' ? item.barcode : item.code, quantity: kind === 'sale' ? between(1, 3) : 50 }
    })
    till.post({ kind, at, location, lines })
  }
}

function between(least: number, most: number): number {
  return Math.floor(least + Math.random() * (most - least + 1))
}
