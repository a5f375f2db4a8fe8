import { existsSync } from 'node:fs'
import { type KnownCodes, Till } from '@tillwire/stock'
import { Command } from 'commander'
import { count } from '../count.ts'
import { delivered, firstWord, Hearings, notReached, othersText } from '../delivery.ts'
import { EXIT, Failure, oneLine, printable } from '../failure.ts'
import {
  AskedServer,
  checkOpened,
  columnsOf,
  Faults,
  Importing,
  type Named,
  namedElsewhere,
  note,
  type Planned,
  plan,
  readTable,
  rehearse,
  TABLES,
} from '../import/index.ts'
import { serverOption } from '../options.ts'
import { outboxFolder, outboxOption } from '../outbox-folder.ts'
import { fired, stopSignal } from '../stop-signal.ts'
import { cannotBeSent, newServerOption, renewedText, TAKEN_OVER, takeOverOption } from '../takeover.ts'

interface ImportFlags {
  readonly server: string
  readonly till: string
  readonly outbox?: string
  readonly locations?: string
  readonly items?: string
  readonly policies?: string
  readonly opening?: string
  readonly dryRun?: boolean
  readonly takeOver?: boolean
  readonly newServer?: boolean
}

/** Refused rows that are shown one by one. */
const REFUSALS_SHOWN = 1_000

/** `tillwire import` */
export function importCommand(): Command {
  return new Command('import')
    .description('Define locations, items and policies and post opening stock from CSV files: all of it or nothing, and nothing twice.')
    .addOption(serverOption())
    .requiredOption('-t, --till <name>', 'the till that posts it, such as HQ/IMPORT')
    .addOption(outboxOption())
    .option('--locations <file>', 'location, name, type (store or warehouse)')
    .option('--items <file>', 'item, name, unit, decimals, barcodes, packs, supplier, active')
    .option('--policies <file>', 'location, item, reorderPoint, orderUpTo, pack, leadDays')
    .option('--opening <file>', 'location, item, quantity')
    .addOption(takeOverOption())
    .addOption(newServerOption())
    .option('--dry-run', 'only say what is wrong with the rows')
    .addHelpText(
      'after',
      `
Each file has a header that names its columns, in any order; the code columns must be there, the others may be left out, and
so may their cells: what is not given stays as it is. Several barcodes of an item stand as 4006381333931|4006381333948 and
several packs as box:12|pallet:480. Quantities have up to three decimals. Text is UTF-8.

Every row is checked first, by the rules of the server, also against what the server knows where it can be reached; each bad row is
named by file and line (the first thousand), and then nothing is posted. Opening stock of a location that was imported before is not
posted again: correct it with adjust or count. The outbox knows what came from it; of all else the server is asked.
Exit code 2: rows are wrong, nothing was posted. Exit code 3: all was posted, and some rows were refused.`,
    )
    .action(run)
}

async function run(flags: ImportFlags): Promise<void> {
  const stop = stopSignal()
  const faults = new Faults()
  const defined: Named = { locations: new Set(), items: new Set() }
  const planned = await planOf(flags, defined, faults)
  const server = new AskedServer(flags.server, stop)
  const known = await knownCodes(server, namedElsewhere(planned, defined))
  rehearse(planned, defined, known, faults)
  refuseFaults(faults)
  const folder = outboxFolder(flags.till, flags.outbox)
  if (flags.dryRun === true && !existsSync(folder)) {
    await refuseOpened(server, planned, faults)
    return tell(planned.length)
  }
  let takeoverTold = false
  let waitingTold = false
  let renewalTold = false
  const hearings = new Hearings()
  await using till = new Till({
    till: flags.till,
    outbox: folder,
    server: flags.server,
    takeOver: flags.takeOver === true,
    newServer: flags.newServer === true,
    waits: true,
    result: (result) => hearings.result(result),
    changed: (state) => {
      const { tookOver, line, reason, waiting } = state
      const renewed = renewedText(state)
      if (renewed !== undefined && !renewalTold) process.stderr.write(`${renewed}\n`)
      renewalTold ||= renewed !== undefined
      if (tookOver && !takeoverTold) process.stderr.write(`${TAKEN_OVER}\n`)
      takeoverTold ||= tookOver
      if (line === 'offline' && waiting > 0 && !waitingTold)
        process.stderr.write(`waiting: ${oneLine(reason)}; Ctrl-C stops, nothing is lost\n`)
      waitingTold ||= line === 'offline' && waiting > 0
    },
  })
  const importing = new Importing(till, planned, faults)
  refuseFaults(faults)
  await refuseOpened(server, importing.openings, faults)
  if (flags.dryRun === true) return tell(importing.fresh)
  till.connect() // not before: rows that are wrong shall not take a till over
  await firstWord(till, stop, folder)
  const posted = importing.put()
  const reached = await settle(till, stop, folder)
  if (!reached) process.stderr.write(`${notReached(till)}\n`)
  report(
    importing,
    posted,
    hearings.tellOfOthers(till, (seq) => importing.has(seq)),
  )
}

async function planOf(flags: ImportFlags, defined: Named, faults: Faults): Promise<Planned[]> {
  const given = TABLES.filter((name) => flags[name] !== undefined)
  if (given.length === 0) throw new Failure(`nothing to import: give ${TABLES.map((name) => `--${name}`).join(', ')}`, EXIT.usage)
  const at = Date.now()
  const planned: Planned[] = []
  for (const name of given) {
    const rows = await readTable(flags[name] as string, columnsOf(name), faults)
    note(defined, name, rows)
    const its = plan(name, rows, at, faults)
    // A location inside another comes behind it, however the file is sorted.
    if (name === 'locations') its.sort((a, b) => depthOf(a) - depthOf(b))
    for (const one of its) planned.push(one)
  }
  return planned
}

function depthOf({ draft }: Planned): number {
  return draft.kind === 'location' ? draft.location.split('/').length : 0
}

/** Which of the codes the server knows. */
async function knownCodes(server: AskedServer, codes: KnownCodes): Promise<KnownCodes> {
  const named = codes.locations.length + codes.items.length
  if (named === 0) return codes
  const otherwise = `${count(named, 'code')} that the files do not define may be unknown to it`
  return (await server.ask((reader) => reader.known(codes), otherwise)) ?? codes
}

/** Opening stock where there has been some would count twice. @throws Failure */
async function refuseOpened(server: AskedServer, planned: readonly Planned[], faults: Faults): Promise<void> {
  const openings = planned.filter(({ draft }) => draft.kind === 'opening')
  if (openings.length === 0) return
  await server.ask((reader) => checkOpened(reader, openings, faults), 'there may be opening stock of these locations already')
  refuseFaults(faults)
}

/** What a dry run has to say. */
function tell(transactions: number): void {
  process.stdout.write(`${count(transactions, 'transaction')} would be posted; no row is wrong\n`)
}

function refuseFaults(faults: Faults): void {
  if (faults.count === 0) return
  process.stderr.write(`${faults.lines().map(printable).join('\n')}\n`)
  throw new Failure(`${count(faults.count, 'row')} wrong; nothing was posted`, EXIT.usage)
}

async function settle(till: Till, stop: AbortSignal, folder: string): Promise<boolean> {
  const settled = delivered(till).catch((error) => {
    throw till.state.line === 'fenced' ? new Failure(cannotBeSent(till.state, folder)) : error
  })
  const end = await Promise.race([settled, fired(stop).then(() => 'stopped' as const)])
  if (end !== 'stopped') return end
  const { waiting } = till.state
  throw new Failure(
    `interrupted; ${count(waiting, 'transaction')} wait in ${folder}: run the same command again and they are sent`,
    EXIT.interrupted,
  )
}

function report(importing: Importing, posted: number, others: number): void {
  const refused = importing.refused()
  for (const { file, line, refused: code, field, barcode } of refused.slice(0, REFUSALS_SHOWN)) {
    const what = [field, barcode].filter((part) => typeof part === 'string').join(' ')
    process.stderr.write(`refused: ${printable(file)}: line ${line}: ${code}${what === '' ? '' : ` (${printable(what)})`}\n`)
  }
  if (refused.length > REFUSALS_SHOWN) process.stderr.write(`refused: and ${refused.length - REFUSALS_SHOWN} more\n`)
  const { before, known, size } = importing
  const opened = before.length === 0 || known ? '' : `; opening stock of ${count(before.length, 'location')} was imported before`
  const what =
    posted === 0 ? `${count(size, 'transaction')} imported before, nothing posted again` : `${count(posted, 'transaction')} posted`
  process.stdout.write(`${what}, ${refused.length} refused${opened}${othersText(others)}\n`)
  if (refused.length + others > 0) process.exitCode = EXIT.refused
}
