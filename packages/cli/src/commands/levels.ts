import { type Answer, type LevelQuestion, type LevelRow, Reader } from '@tillwire/stock'
import { Command, Option } from 'commander'
import { stringify } from 'csv-stringify/sync'
import { count } from '../count.ts'
import { EXIT, Failure, jsonText } from '../failure.ts'
import { refuseUnknown } from '../known-names.ts'
import { levelTable } from '../level-table.ts'
import { moment, quantity, serverOption } from '../options.ts'
import { write } from '../output.ts'
import { printReport } from '../report.ts'

/** The flags that choose levels, shared with `watch`. */
export interface LevelFlags {
  readonly server: string
  readonly item?: string
  readonly location?: string
  readonly within?: string
  readonly prefix?: string
  readonly below?: number
  readonly json?: boolean
}

const AS_OF = { noun: 'level', columns: [{ field: 'location' }, { field: 'item' }, { field: 'onHand', title: 'on hand' }], figures: 2 }

/** `tillwire levels` */
export function levelsCommand(): Command {
  return new Command('levels')
    .description('Print stock levels: on hand, reserved, available.')
    .addOption(serverOption())
    .option('-i, --item <code>', 'only this item, by code or barcode')
    .option('-l, --location <code>', 'only this location')
    .option('--within <code>', 'only this location and those inside it')
    .option('--prefix <text>', 'only items whose code begins so')
    .option('--below <quantity>', 'only levels with less than this on hand', quantity)
    .addOption(new Option('--json', 'as one JSON object: position, time, levels').conflicts('csv'))
    .option('--csv', 'as CSV with a header')
    .option('--as-of <time>', 'what was on hand at this time (a day: as it began, UTC); --json then prints one object a line', moment)
    .addOption(
      new Option('--clock <which>', 'whose time: when the server recorded, or when it happened by the tills').choices(['recorded', 'at']),
    )
    .action(levels)
}

interface AsOfFlags {
  readonly csv?: boolean
  readonly asOf?: string
  readonly clock?: 'recorded' | 'at'
}

async function levels(flags: LevelFlags & AsOfFlags): Promise<void> {
  if (flags.clock !== undefined && flags.asOf === undefined) throw new Failure('--clock says whose time --as-of is: give both', EXIT.usage)
  await using reader = await Reader.connect(flags.server)
  await refuseUnknown(reader, { locations: [flags.location, flags.within], items: [flags.item] })
  if (flags.asOf !== undefined) {
    const pages = reader.report('asOf', { [flags.clock ?? 'recorded']: flags.asOf, ...questionOf(flags) })
    await printReport(pages, AS_OF, flags)
    return
  }
  const pages = reader.levels(questionOf(flags))
  if (flags.json === true) await printJson(pages)
  else if (flags.csv === true) await printCsv(pages)
  else if ((await printTable(pages)) === 0 && flags.location !== undefined && flags.within === undefined) await tellOfInner(reader, flags)
}

/** The question that flags ask. */
export function questionOf({ item, location, within, prefix, below }: LevelFlags): LevelQuestion {
  return {
    ...(item === undefined ? {} : { item }),
    ...(location === undefined ? {} : { location }),
    ...(within === undefined ? {} : { within }),
    ...(prefix === undefined ? {} : { prefix }),
    ...(below === undefined ? {} : { below }),
  }
}

/** Answers how many there were. */
async function printTable(pages: AsyncIterable<Answer>): Promise<number> {
  const rows: LevelRow[] = []
  let last: Answer | undefined
  for await (const page of pages) {
    rows.push(...(page.levels ?? []))
    last = page
  }
  if (rows.length > 0) process.stdout.write(`${levelTable(rows)}\n`)
  process.stdout.write(`${count(rows.length, 'level')} at position ${last?.position}, ${last?.time}\n`)
  return rows.length
}

/** Whoever asks for a location of which all stands in locations inside it, may have meant those. */
async function tellOfInner(reader: Reader, { location, ...flags }: LevelFlags): Promise<void> {
  const { value: page } = await reader.levels(questionOf({ ...flags, within: location as string })).next()
  if ((page?.levels ?? []).length === 0) return
  process.stderr.write(`no such level at ${location} itself; with --within ${location} come the locations inside it\n`)
}

async function printJson(pages: AsyncIterable<Answer>): Promise<void> {
  let opened = false
  let last: Answer | undefined
  process.stdout.write('{"levels":[')
  for await (const page of pages) {
    for (const row of page.levels ?? []) {
      await write(`${opened ? ',' : ''}\n${jsonText(row)}`)
      opened = true
    }
    last = page
  }
  process.stdout.write(`\n],"position":${last?.position},"time":${JSON.stringify(last?.time)}}\n`)
}

async function printCsv(pages: AsyncIterable<Answer>): Promise<void> {
  process.stdout.write('location,item,onHand,reserved,available\n')
  for await (const { levels = [] } of pages) {
    await write(stringify(levels.map((row) => [row.location, row.item, row.onHand, row.reserved, row.available])))
  }
}
