import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setImmediate } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { LOG_FILE, TABLES_FILE } from '../data-folder.ts'
import { type Ledger, type Place, units, VIRTUAL_PLACES } from '../ledger/index.ts'
import { endIsMissing, Follower, PROJECTION_VERSION, type TablesEnd, tablesEnd } from '../projection/index.ts'
import { compareTables } from './compare-tables.ts'
import { openLogFile } from './log-file.ts'
import type { HearProgress } from './rebuild.ts'

/** Something that is not what was written. */
export interface Damage {
  readonly where: 'log' | 'tables'
  readonly position: number | undefined
  readonly message: string
}

/** What a check of a data folder found. */
export interface Verification {
  /** Where the log ended when it was looked at. */
  readonly position: number
  /** When its last record was made, in milliseconds since 1970; 0 in an empty log. */
  readonly recorded: number
  /** SHA-256 of its last record, in hexadecimal digits. */
  readonly hash: string
  /** How far it could be replayed: its end, where nothing is damaged. */
  readonly replayed: number
  /** Up to where the tables were compared; undefined where there are none that the next start would use. */
  readonly compared: number | undefined
  /** The first {@link DAMAGES_MAX} of them. */
  readonly damages: readonly Damage[]
  readonly damageCount: number
  /** Items in the ledger that was replayed. */
  readonly items: number
  /** Those whose sum over all places is not 0: the first {@link DAMAGES_MAX} of them, in units. */
  readonly unbalanced: readonly { readonly item: string; readonly sum: number }[]
  readonly unbalancedCount: number
}

/** How to check a data folder. */
export interface VerifyOptions {
  /** Where the tables are made again to compare with: a folder with as much room as they take. Default: the system's for temporary files. */
  readonly work?: string
  readonly progress?: HearProgress
  /** Hears of every item in the ledger that was replayed, in the order in which they were first named; a promise is waited for. */
  readonly item?: (balance: ItemBalance) => Promise<void> | undefined
}

/** Where all of an item is, in units: what left one place is at another, so that it adds up to 0. */
export interface ItemBalance {
  readonly item: string
  /** At all locations together. */
  readonly onHand: number
  /** In all open transfers together. */
  readonly inTransit: number
  /** At each virtual place: below 0 where more came from there than went there. */
  readonly supplier: number
  readonly customer: number
  readonly shrink: number
  readonly waste: number
  readonly opening: number
  readonly sum: number
}

/** So many damages are named; the rest are counted. */
export const DAMAGES_MAX = 1_000

/** A list that may not grow for ever. */
class Bounded<T> {
  readonly items: T[] = []
  count = 0

  add(item: T): void {
    if (this.count++ < DAMAGES_MAX) this.items.push(item)
  }
}

/**
 * Checks everything in a data folder: every record of the log against its hash and the one before it; the log replayed, and the tables
 * compared with what comes out; the sum over all places of every item. It changes nothing there, and a server may run meanwhile: what is said
 * holds for the position where the log was then.
 * @throws (rejects) StockError `data_unusable`; `log_damaged` only where the file holds no log that can be read at all.
 */
export async function verifyData(data: string, { work = tmpdir(), progress = () => {}, item }: VerifyOptions = {}): Promise<Verification> {
  const path = join(data, LOG_FILE)
  const damages = new Bounded<Damage>()
  const log = openLogFile(path)
  let sound = Number.POSITIVE_INFINITY
  const { id } = log
  const { head } = log.checkChain(({ position, message }) => {
    sound = Math.min(sound, position - 1)
    damages.add({ where: 'log', position, message })
  })
  log.close()
  const end = head.next - 1
  const folder = mkdtempSync(join(work, 'tillwire-verify-'))
  const fresh = join(folder, TABLES_FILE)
  const follower = Follower.anew(path, fresh) // its indexes are never made: rows are met by their primary keys
  try {
    const replay = async (to: number): Promise<void> => {
      try {
        while (follower.step(Math.min(to, sound))) {
          progress({ position: follower.position, of: end })
          await setImmediate() // lets a signal in
        }
      } catch (error) {
        const position = follower.position + 1
        sound = follower.position
        damages.add({
          where: 'log',
          position,
          message: `the log cannot be replayed behind position ${follower.position}: ${(error as Error).message}`,
        })
      }
    }
    // As far as the tables are by now, so that those of a running server are held as of one moment no longer than comparing them takes.
    const tables = join(data, TABLES_FILE)
    await replay(Math.min(end, tablesEnd(tables)?.position ?? end))
    const compared = await compare(tables, fresh, { id, end }, damages, async (to) => {
      await replay(to)
      return follower.position
    })
    await replay(end)
    const { unbalanced, items } = await conservation(follower.ledger, item)
    return {
      position: end,
      recorded: head.recorded,
      hash: Buffer.from(head.hash).toString('hex'),
      replayed: follower.position,
      compared,
      damages: damages.items,
      damageCount: damages.count,
      items,
      unbalanced: unbalanced.items,
      unbalancedCount: unbalanced.count,
    }
  } finally {
    follower.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Compares the tables with fresh ones as of the position where they are. @returns that position; undefined where there was nothing to compare. */
async function compare(
  path: string,
  fresh: string,
  log: { readonly id: string; readonly end: number },
  damages: Bounded<Damage>,
  replay: (to: number) => Promise<number>,
): Promise<number | undefined> {
  if (!existsSync(path)) return undefined
  const damaged = (message: string, position?: number): undefined => damages.add({ where: 'tables', position, message }) as undefined
  const db = new DatabaseSync(':memory:', { timeout: 5_000 })
  try {
    db.prepare('ATTACH ? AS there').run(readOnly(path))
    db.prepare('ATTACH ? AS fresh').run(readOnly(fresh))
    db.exec('BEGIN')
    const { user_version: version } = db.prepare('PRAGMA there.user_version').get() as { user_version: number }
    if (version !== PROJECTION_VERSION) return undefined // the next start makes them anew
    const tables = db.prepare('SELECT log, number, position, hash FROM there.projection').get() as unknown as TablesEnd | undefined
    if (tables === undefined || tables.log !== log.id) return undefined
    if (tables.position > log.end && (await replay(tables.position)) < tables.position) {
      return damaged(endIsMissing(log.end, tables.position), log.end + 1)
    }
    if ((await replay(tables.position)) !== tables.position) return undefined // a damage of the log lies before
    const ours = db.prepare('SELECT hash FROM fresh.projection').get() as { hash: Uint8Array } | undefined
    if (ours === undefined || Buffer.compare(ours.hash, tables.hash) !== 0) return undefined // of another history: made anew
    compareTables(db, ({ message, position }) => void damaged(`ledger.db: ${message}`, position))
    return tables.position
  } catch (error) {
    return damaged(`ledger.db cannot be read: ${(error as Error).message}`)
  } finally {
    db.close()
  }
}

function readOnly(path: string): string {
  return `${pathToFileURL(path).href}?mode=ro`
}

/** The sum over all places of every item: 0 in a ledger that is right. */
async function conservation(
  ledger: Ledger,
  hear: VerifyOptions['item'],
): Promise<{ items: number; unbalanced: Bounded<{ item: string; sum: number }> }> {
  const unbalanced = new Bounded<{ item: string; sum: number }>()
  const { virtual } = ledger.places
  const locations = ledger.places.all().filter((place) => !place.virtual)
  const transits = [...ledger.transfers.open()].map(({ transit }) => transit)
  for (const { code, number } of ledger.items.all()) {
    const at = (places: readonly Place[]): number => places.reduce((sum, place) => sum + (place.quantity(number) ?? 0), 0)
    const onHand = at(locations)
    const inTransit = at(transits)
    const sum = onHand + inTransit + at(Object.values(virtual))
    if (sum !== 0) unbalanced.add({ item: code, sum: units(sum) })
    const elsewhere = Object.fromEntries(VIRTUAL_PLACES.map((place) => [place, units(at([virtual[place]]))]))
    const taken = hear?.({ item: code, onHand: units(onHand), inTransit: units(inTransit), ...elsewhere, sum: units(sum) } as ItemBalance)
    if (taken !== undefined) await taken
  }
  return { items: ledger.items.count, unbalanced }
}
