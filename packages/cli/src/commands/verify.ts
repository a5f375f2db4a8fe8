import { type Verification, verifyData } from '@tillwire/stock'
import { Command } from 'commander'
import { count } from '../count.ts'
import { CsvSheet } from '../csv-sheet.ts'
import { EXIT, jsonText, printable } from '../failure.ts'
import { LogBar } from '../log-bar.ts'
import { dataOption } from '../options.ts'

interface VerifyFlags {
  readonly data: string
  readonly json?: boolean
  readonly work?: string
  readonly items?: boolean
}

const ITEM_COLUMNS = ['item', 'onHand', 'inTransit', 'supplier', 'customer', 'shrink', 'waste', 'opening', 'sum'] as const

/** `tillwire verify` */
export function verifyCommand(): Command {
  return new Command('verify')
    .description(
      'Check a data folder: every record of the log, the tables against the log replayed, the sum of every item. It changes nothing.',
    )
    .addOption(dataOption())
    .option('--json', 'as one JSON object')
    .option('--items', 'print where all of each item is, as CSV: what left one place is at another; the rest goes to standard error')
    .option(
      '--work <folder>',
      'where the tables are made again to compare with; they take as much room as ledger.db (default: for temporary files)',
    )
    .addHelpText(
      'after',
      `
A server may run meanwhile: what is said holds for the position where its log was then.
Exit code 1: something is damaged; each damage is named by its position, the first thousand of them.`,
    )
    .action(verify)
}

async function verify({ data, json, work, items }: VerifyFlags): Promise<void> {
  using bar = new LogBar('verifying')
  const sheet = items === true ? new CsvSheet() : undefined
  await sheet?.row(ITEM_COLUMNS)
  const found = await verifyData(data, {
    progress: bar.hear,
    ...(work === undefined ? {} : { work }),
    ...(sheet === undefined ? {} : { item: (balance) => sheet.row(ITEM_COLUMNS.map((column) => balance[column])) }),
  })
  await sheet?.end()
  bar[Symbol.dispose]()
  const out = sheet === undefined ? process.stdout : process.stderr
  out.write(json === true ? `${jsonText(found)}\n` : `${lines(found).map(printable).join('\n')}\n`)
  if (found.damageCount > 0 || found.unbalancedCount > 0) process.exitCode = EXIT.failed
}

function lines({
  position,
  recorded,
  hash,
  replayed,
  compared,
  damages,
  damageCount,
  items,
  unbalanced,
  unbalancedCount,
}: Verification): string[] {
  const inLog = damages.filter(({ where }) => where === 'log')
  const inTables = damages.filter(({ where }) => where === 'tables')
  const when = recorded === 0 ? '' : `, ${new Date(recorded).toISOString()}`
  const none = inLog.length > 0 ? 'not compared, for the log is damaged' : 'none to compare: the next start makes them'
  const tables = compared === undefined ? none : inTables.length === 0 ? `as the log says, at position ${compared}` : 'damaged'
  return [
    `log: ${inLog.length === 0 ? 'whole' : 'damaged'}, position ${position}${when}, SHA-256 ${hash}`,
    `tables: ${inTables.length > 0 ? 'damaged' : tables}`,
    `items: ${count(items, 'item')} at position ${replayed}, ${unbalancedCount === 0 ? 'each adds up to 0 over all places' : `${unbalancedCount} do not add up to 0`}`,
    ...damages.map(({ message, position: at }) => `damage${at === undefined ? '' : ` at position ${at}`}: ${message}`),
    ...(damageCount > damages.length ? [`damage: and ${damageCount - damages.length} more`] : []),
    ...unbalanced.map(({ item, sum }) => `not balanced: ${item}: ${sum}`),
    ...(unbalancedCount > unbalanced.length ? [`not balanced: and ${unbalancedCount - unbalanced.length} more`] : []),
  ]
}
