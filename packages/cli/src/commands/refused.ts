import { type Draft, REFUSALS, RefusedList, type RefusedTransaction, Rehearsal, type SettledTransaction, StockError } from '@tillwire/stock'
import { Command, InvalidArgumentError, Option } from 'commander'
import { count } from '../count.ts'
import { ACCEPTED_BEFORE } from '../delivery.ts'
import { EXIT, Failure, jsonText, printable } from '../failure.ts'
import { draftFrom, openSource, sentIn, utf8 } from '../input/index.ts'
import { outboxFolder, outboxOption } from '../outbox-folder.ts'
import { write } from '../output.ts'
import { setFields } from '../set-fields.ts'
import { stopSignal } from '../stop-signal.ts'
import { table } from '../table.ts'

/** Numbers of transactions, or all that are open. */
type Chosen = readonly number[] | 'all'

interface RefusedFlags {
  readonly outbox?: string
  readonly till?: string
  readonly json?: boolean
  readonly settled?: boolean
  readonly drop?: Chosen
  readonly replace?: Chosen
  readonly again?: Chosen
  readonly with?: string
  readonly set?: readonly string[]
}

/** A replacement is read whole; a line of the protocol is no longer than half of this. */
const REPLACEMENT_BYTES_MAX = 2 * 1024 * 1024
/** Rows of the table; its columns are as wide as the widest of them, so they are in memory together. */
const ROWS_MAX = 1_000

/** `tillwire refused` */
export function refusedCommand(): Command {
  return new Command('refused')
    .description('Show the transactions that the server refused, and mend or drop them. It needs the outbox, and no server.')
    .addOption(outboxOption())
    .option('-t, --till <name>', 'the till that the outbox belongs to (default: whichever it is)')
    .addOption(new Option('--json', 'as NDJSON: one object a line, with the transaction as it was sent'))
    .option('--settled', 'show those that were replaced or dropped')
    .addOption(
      new Option('--drop <number>', 'take it off the list; "all" for all, may be given several times')
        .argParser(chosen)
        .conflicts('replace'),
    )
    .addOption(new Option('--replace <number>', 'post another transaction in its place; "all", several times').argParser(chosen))
    .addOption(
      new Option('--again <number>', 'offer it again as it is, for instance when what it needs has been defined; "all", several times')
        .argParser(chosen)
        .conflicts(['drop', 'replace', 'set', 'with']),
    )
    .addOption(new Option('--with <file>', 'the other transaction, a JSON object; - for standard input').conflicts('set'))
    .option('--set <field=value>', 'the same transaction with this field mended, may be given several times', listed)
    .addHelpText(
      'after',
      `
  tillwire refused --till S01/T1
  tillwire refused --till S01/T1 --replace 17 --set location=S01
  tillwire refused --till S01/T1 --replace 18 --set 'lines[0].quantity=3'
  tillwire refused --till S01/T1 --drop 19
  tillwire refused --till S01/T1 --again all

The replacement gets a number and an id of its own, keeps the time of the first unless it names one, and is sent when the till
is next opened. What was accepted before and refused when it was offered again (the server was set back, or was another one)
keeps its id when it is replaced: a server that has it does not count both. --again keeps number and id of each. The outbox must not be in use by a till meanwhile.`,
    )
    .action(refused)
}

function chosen(text: string, earlier: Chosen | undefined): Chosen {
  if (text === 'all') return 'all'
  const seq = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(seq) || seq === 0)
    throw new InvalidArgumentError('it must be the number of a transaction, or all')
  return earlier === 'all' ? 'all' : [...(earlier ?? []), seq]
}

function listed(text: string, earlier: readonly string[] | undefined): readonly string[] {
  return [...(earlier ?? []), text]
}

async function refused(flags: RefusedFlags): Promise<void> {
  if (flags.outbox === undefined && flags.till === undefined)
    throw new Failure('name the outbox (--outbox) or its till (--till)', EXIT.usage)
  const change = flags.set !== undefined || flags.with !== undefined
  if ((flags.replace !== undefined) !== change) throw new Failure('--replace goes with --set or with --with', EXIT.usage)
  if (flags.with !== undefined && (flags.replace === 'all' || flags.replace?.length !== 1))
    throw new Failure('--with replaces one transaction: give one --replace NUMBER', EXIT.usage)
  const replacement = flags.with === undefined ? undefined : await read(flags.with)
  using list = openList(flags)
  if (flags.drop !== undefined) drop(list, flags.drop)
  else if (flags.replace !== undefined) replace(list, flags.replace, (sent) => replacement ?? setFields(sent, flags.set ?? []))
  else if (flags.again !== undefined) offerAgain(list, flags.again)
  else await show(flags.settled === true ? list.settled() : list.open(), flags)
}

function openList({ outbox, till }: RefusedFlags): RefusedList {
  const folder = outboxFolder(till as string, outbox)
  try {
    return new RefusedList(folder, till)
  } catch (error) {
    if (!(error instanceof StockError) || error.code !== 'outbox_in_use') throw error
    throw new Failure(`${error.message}: close the till first`)
  }
}

function drop(list: RefusedList, which: Chosen): void {
  for (const seq of numbers(list, which)) {
    list.drop(seq)
    process.stdout.write(`transaction ${seq} is dropped\n`)
  }
}

function replace(list: RefusedList, which: Chosen, mend: (sent: Record<string, unknown>) => Record<string, unknown>): void {
  for (const seq of numbers(list, which)) {
    const sent = sentIn(list.find(seq).line)
    const draft = draftFrom({ at: sent.at, ...mend(sent) }, Date.now())
    check(draft)
    const by = list.replace(seq, draft)
    process.stdout.write(`transaction ${seq} is replaced by transaction ${by}\n`)
  }
  process.stdout.write(`${count(list.waiting, 'transaction')} waiting; sent when the till ${printable(list.till)} is next opened\n`)
}

/** What any server would refuse is not worth sending. */
function check(draft: Draft): void {
  const rehearsal = new Rehearsal()
  if ('location' in draft) rehearsal.know({ locations: [draft.location], items: [] })
  const { refused, field } = rehearsal.post(draft)
  if (refused === undefined || !/^(?:quantity_|too_many_lines)/.test(refused)) return
  throw new Failure(`${field ?? draft.kind}: ${REFUSALS[refused]}; nothing is replaced by that`, EXIT.usage)
}

function offerAgain(list: RefusedList, which: Chosen): void {
  let offered = 0
  for (const seq of numbers(list, which)) {
    list.offerAgain(seq)
    offered++
  }
  process.stdout.write(`${count(offered, 'transaction')} offered again when the till ${printable(list.till)} is next opened\n`)
}

function numbers(list: RefusedList, which: Chosen): Iterable<number> {
  return which === 'all'
    ? list
        .open()
        [Symbol.iterator]()
        .map(({ seq }) => seq)
    : which
}

async function read(file: string): Promise<Record<string, unknown>> {
  const source = await openSource(file, stopSignal())
  try {
    const chunks: Buffer[] = []
    let bytes = 0
    for await (const chunk of utf8(source.read())) {
      bytes += chunk.length
      if (bytes > REPLACEMENT_BYTES_MAX) throw new Failure(`${source.name} is longer than a transaction may be`, EXIT.usage)
      chunks.push(chunk)
    }
    return parse(Buffer.concat(chunks).toString(), source.name)
  } finally {
    source.close()
  }
}

function parse(text: string, name: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // the same answer as for JSON that is no object
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Failure(`${name}: it is not a JSON object`, EXIT.usage)
  if ('seq' in value) throw new Failure(`${name}: seq is given by the outbox; leave it out`, EXIT.usage)
  return value as Record<string, unknown>
}

type Row = RefusedTransaction | SettledTransaction

async function show(rows: Iterable<Row>, flags: RefusedFlags): Promise<void> {
  if (flags.json === true) {
    for (const row of rows) await write(`${jsonText(objectOf(row))}\n`)
    return
  }
  const shown: Row[] = []
  let all = 0
  for (const row of rows) {
    if (all++ < ROWS_MAX) shown.push(row)
  }
  const head = ['at', 'kind', 'location', 'lines', 'item', 'refused', 'field', ...(flags.settled === true ? ['settled'] : [])]
  if (all > 0) process.stdout.write(`${table(['number', ...head], shown.map(cellsOf), head.length + 1)}\n`)
  if (shown.some(({ accepted }) => accepted)) process.stdout.write(`*: ${ACCEPTED_BEFORE}; --again offers it once more, under its id\n`)
  const rest = all > shown.length ? `; the first ${shown.length} are shown, --json shows all` : ''
  process.stdout.write(`${count(all, 'refused transaction')}${flags.settled === true ? ' settled' : ''}${rest}\n`)
}

function objectOf(row: Row): Record<string, unknown> {
  const { seq, line, refused, field, accepted } = row
  const settled = 'settled' in row ? { settled: row.settled, ...(row.replacement === null ? {} : { replacement: row.replacement }) } : {}
  return { seq, refused, ...(field === null ? {} : { field }), ...(accepted ? { accepted } : {}), ...settled, transaction: sentIn(line) }
}

function cellsOf(row: Row): string[] {
  const sent = sentIn(row.line) as { kind: string; at: string; location?: string; item?: string; lines?: readonly { item: string }[] }
  const { kind, at, location = '', lines } = sent
  // That of the line which the refusal is about, else of the first.
  const { item = '' } = lines?.[Number(/^lines\[(\d+)\]/.exec(row.field ?? '')?.[1] ?? 0)] ?? sent
  const settled = 'settled' in row ? [row.replacement === null ? row.settled : `${row.settled} by ${row.replacement}`] : []
  const cells = [
    String(row.seq),
    at,
    kind,
    location,
    String(lines?.length ?? 0),
    item,
    `${row.refused}${row.accepted ? ' *' : ''}`,
    row.field ?? '',
    ...settled,
  ]
  return cells.map(printable)
}
