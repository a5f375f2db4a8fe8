import { parseTime, Reader, type ReportName } from '@tillwire/stock'
import { Command, InvalidArgumentError, Option } from 'commander'
import { EXIT, Failure } from '../failure.ts'
import { type OnOrderRow, readOnOrder } from '../input/index.ts'
import { knownBy, refuseUnknown } from '../known-names.ts'
import { moment, serverOption } from '../options.ts'
import { csvOption, jsonOption, printReport, type ReportFlags, type ReportForm } from '../report.ts'

interface Flags extends ReportFlags {
  readonly server: string
  readonly onOrder?: string
  readonly location?: string
  readonly within?: string
  readonly item?: string
  readonly supplier?: string
  readonly from?: string
  readonly to?: string
  readonly [name: string]: unknown
}

const levelColumns = [{ field: 'location' }, { field: 'item' }]

const FORMS: Readonly<Record<Exclude<ReportName, 'asOf'>, ReportForm>> = {
  reorder: {
    noun: 'line',
    columns: [
      ...levelColumns,
      { field: 'name' },
      { field: 'supplier' },
      { field: 'onHand', title: 'on hand' },
      { field: 'reserved' },
      { field: 'inTransit', title: 'in transit' },
      { field: 'onOrder', title: 'on order' },
      { field: 'reorderPoint', title: 'reorder at' },
      { field: 'orderUpTo', title: 'up to' },
      { field: 'order' },
    ],
    figures: 4,
    group: 'supplier',
  },
  history: {
    noun: 'movement',
    columns: [
      { field: 'recorded' },
      { field: 'at' },
      { field: 'position' },
      { field: 'till' },
      { field: 'kind' },
      { field: 'reason' },
      { field: 'flags' },
      { field: 'id' },
      { field: 'from' },
      { field: 'to' },
      { field: 'quantity' },
    ],
    figures: 10,
  },
  velocity: {
    noun: 'level',
    columns: [
      ...levelColumns,
      { field: 'onHand', title: 'on hand' },
      { field: 'available' },
      { field: 'perDay7', title: '7 days: a day' },
      { field: 'daysInStock7', title: 'in stock' },
      { field: 'perDay28', title: '28 days: a day' },
      { field: 'daysInStock28', title: 'in stock' },
      { field: 'daysOfCover', title: 'days of cover' },
    ],
    figures: 2,
  },
  shrink: {
    noun: 'row',
    columns: [{ field: 'location' }, { field: 'kind' }, { field: 'movements' }, { field: 'lost' }, { field: 'found' }, { field: 'net' }],
    figures: 2,
  },
  oversold: { noun: 'level', columns: [...levelColumns, { field: 'since' }, { field: 'onHand', title: 'on hand' }], figures: 3 },
  opened: {
    noun: 'location',
    columns: [{ field: 'location' }, { field: 'position' }, { field: 'recorded' }, { field: 'till' }],
    figures: 9,
  },
  tills: {
    noun: 'till',
    columns: [
      { field: 'till' },
      { field: 'recorded', title: 'last heard from' },
      { field: 'connected' },
      { field: 'epoch' },
      { field: 'last' },
    ],
    figures: 3,
  },
}

/** The commands of purchasing: each asks the server one question and prints the answer. */
export function purchasingCommands(): Command[] {
  return [
    where(command('reorder', 'Print what to order, by supplier, in whole packs.'))
      .option('--supplier <name>', 'only what this supplier delivers')
      .option('--all', 'every policy, also where there is nothing to order')
      .option('--on-order <file>', 'what is on order already: CSV with the columns location, item, quantity')
      .option('--z <number>', 'standard deviations of demand to keep for safety (default: 1.65, for 95 %)', figure)
      .option('--lead-days <days>', 'days from order to shelf, where the policy does not say (default: 7)', figure)
      .option('--lead-deviation <days>', 'standard deviation of those days (default: 0)', figure),
    period(where(command('history', 'Print the movements of an item.')))
      .argument('<item>', 'by code or barcode')
      .addOption(new Option('--order <which>', 'which come first').choices(['newest', 'oldest'])),
    where(command('velocity', 'Print how fast levels sell, over 7 and 28 days in stock, and for how long they last.'))
      .option('-i, --item <code>', 'only this item, by code or barcode')
      .option('--prefix <text>', 'only items whose code begins so'),
    period(where(command('shrink', 'Print what was lost and found, by location and kind.'))),
    where(command('oversold', 'Print the levels below 0, and since when they are.')),
    where(command('opened', 'Print the locations that have had opening stock, and when that began.')),
    command('tills', 'Print the tills, those not heard from for longest first.'),
  ]
}

function command(name: Exclude<ReportName, 'asOf'>, description: string): Command {
  return new Command(name)
    .description(description)
    .addOption(serverOption())
    .addOption(csvOption())
    .addOption(jsonOption())
    .action(async (...given: unknown[]) => {
      const self = given.at(-1) as Command
      await print(name, self.opts(), self.args[0])
    })
}

function where(to: Command): Command {
  return to.option('-l, --location <code>', 'only this location').option('--within <code>', 'only this location and those inside it')
}

function period(to: Command): Command {
  return to
    .option('--from <time>', 'recorded at this time or later (a day: from its beginning, UTC)', moment)
    .option('--to <time>', 'recorded before this time (a day: before it began)', moment)
}

async function print(name: Exclude<ReportName, 'asOf'>, flags: Flags, item: string | undefined): Promise<void> {
  const { server, json, csv, onOrder, ...asked } = flags
  if (asked.from !== undefined && asked.to !== undefined && parseTime(asked.from) >= parseTime(asked.to))
    throw new Failure('--from must be before --to', EXIT.usage)
  const ordered = onOrder === undefined ? undefined : await readOnOrder(onOrder)
  await using reader = await Reader.connect(server)
  await refuseUnknown(reader, {
    locations: [asked.location, asked.within],
    items: [item ?? asked.item],
    suppliers: [asked.supplier === '' ? undefined : asked.supplier], // those without one are asked for with ''
  })
  if (ordered !== undefined) await refuseUnknownRows(reader, ordered, onOrder as string)
  const question = {
    ...asked,
    ...(item === undefined ? {} : { item }),
    ...(ordered === undefined ? {} : { onOrder: ordered.map(({ line: _line, ...row }) => row) }),
  }
  await printReport(reader.report(name, question), FORMS[name], {
    ...(json === undefined ? {} : { json }),
    ...(csv === undefined ? {} : { csv }),
  })
}

/** What is on order of what the server does not know would be counted nowhere. */
async function refuseUnknownRows(reader: Reader, rows: readonly OnOrderRow[], file: string): Promise<void> {
  const isKnown = await knownBy(reader, {
    locations: [...new Set(rows.map(({ location }) => location))],
    items: [...new Set(rows.map(({ item }) => item))],
  })
  for (const row of rows) {
    for (const noun of ['location', 'item'] as const) {
      if (await isKnown(noun, row[noun])) continue
      throw new Failure(`${file}: line ${row.line}: the server knows no ${noun} ${row[noun]}`, EXIT.usage)
    }
  }
}

function figure(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value) || value < 0) throw new InvalidArgumentError('it must be a number from 0 on')
  return value
}
