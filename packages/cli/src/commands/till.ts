import { join } from 'node:path'
import { Till } from '@tillwire/stock'
import { Command } from 'commander'
import { count } from '../count.ts'
import { Counter } from '../counter/index.ts'
import { delivered, Hearings, notReached } from '../delivery.ts'
import { EXIT, Failure } from '../failure.ts'
import { serverOption } from '../options.ts'
import { outboxFolder, outboxOption } from '../outbox-folder.ts'
import { fired, stopSignal } from '../stop-signal.ts'
import { cannotBeSent, newServerOption, REPLACED, takeOverOption } from '../takeover.ts'

interface TillFlags {
  readonly server: string
  readonly location?: string
  readonly till: string
  readonly outbox?: string
  readonly takeOver?: boolean
  readonly newServer?: boolean
}

/** On leaving, how long sales that wait are still sent, in milliseconds. */
const LEAVE_MS = 2_000

/** `tillwire till` */
export function tillCommand(): Command {
  return new Command('till')
    .description('A till at the terminal: type or scan items, an empty line closes the sale. It sells while the server is away.')
    .addOption(serverOption())
    .option('-l, --location <code>', "the location that sells (default: the till's, before the slash)")
    .requiredOption('-t, --till <name>', "the till's name: T2, or S01/T2")
    .addOption(outboxOption())
    .addOption(takeOverOption())
    .addOption(newServerOption())
    .addHelpText(
      'after',
      `
Type CODE or "2 x CODE"; an empty line closes the sale; "help" shows the rest. Without a terminal it reads the same from
standard input. Ctrl-C clears what is typed, and leaves when nothing is; with an open basket it asks first.

A sale is refused where its location is not defined; what is odd about a sale that is booked (an item that nobody has defined,
more sold than was there) is a flag. Both stand in the "transaction" table of the server's ledger.db.
Exit code 3: some sales were refused. One till, one outbox: give the same --outbox wherever you run
it, or name the folder of all outboxes in TILLWIRE_OUTBOXES.`,
    )
    .action(run)
}

async function run(flags: TillFlags): Promise<void> {
  const stop = stopSignal()
  const slash = flags.till.indexOf('/')
  const location = flags.location ?? (slash > 0 ? flags.till.slice(0, slash) : undefined)
  if (location === undefined) throw new Failure('name the location that sells: --location S01, or --till S01/T2', EXIT.usage)
  const name = slash >= 0 ? flags.till : `${location}/${flags.till}`
  const folder = outboxFolder(name, flags.outbox)
  let counter: Counter | undefined
  const hearings = new Hearings()
  await using till = new Till({
    till: name,
    outbox: folder,
    server: flags.server,
    takeOver: flags.takeOver === true,
    newServer: flags.newServer === true,
    changed: (state) => counter?.changed(state),
    result: (result) => {
      hearings.result(result)
      counter?.result(result)
    },
  })
  counter = new Counter({ till: name, location, historyFile: join(folder, 'history'), server: flags.server })
  const since = till.last
  const sold = await counter.run(till, stop)
  await sendWhatWaits(till, stop)
  const { line, waiting, serverTime, reason } = till.state
  if (line === 'fenced') process.stderr.write(`${cannotBeSent(till.state, folder)}\n`)
  else if (waiting > 0 && reason?.code === 'session_replaced')
    process.stderr.write(`${count(waiting, 'sale')} waiting in ${folder}; ${REPLACED}\n`)
  else if (waiting > 0) process.stderr.write(`${count(waiting, 'sale')} waiting in ${folder}; sent when the till is opened again\n`)
  else if (serverTime === undefined) process.stderr.write(`${notReached(till)}\n`)
  const others = hearings.tellOfOthers(till, (seq) => seq > since)
  const { refused } = till.totals(since)
  if (refused > 0) process.stderr.write(`${count(refused, 'sale')} refused; see tillwire refused --outbox ${folder}\n`)
  process.exitCode = !sold || line === 'fenced' ? EXIT.failed : refused + others > 0 ? EXIT.refused : EXIT.ok
}

async function sendWhatWaits(till: Till, stop: AbortSignal): Promise<void> {
  if (till.state.line === 'offline' || till.state.line === 'fenced') return
  const patience = AbortSignal.any([stop, AbortSignal.timeout(LEAVE_MS)])
  await Promise.race([delivered(till).catch(() => {}), fired(patience)])
}
