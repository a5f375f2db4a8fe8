import { setTimeout as sleep } from 'node:timers/promises'
import { styleText } from 'node:util'
import { backoffMs, NetError } from '@tillwire/net'
import { type LevelRow, Reader, StockError, type StockErrorCode } from '@tillwire/stock'
import { Command } from 'commander'
import { count } from '../count.ts'
import { Failure, jsonText, oneLine, printable } from '../failure.ts'
import { refuseUnknown } from '../known-names.ts'
import { serverOption } from '../options.ts'
import { fired, stopSignal } from '../stop-signal.ts'
import { type LevelFlags, questionOf } from './levels.ts'

/** What a server says that may be otherwise at the next try. */
const PASSING: ReadonlySet<StockErrorCode> = new Set<StockErrorCode>(['internal', 'too_many_connections'])

/** `tillwire watch` */
export function watchCommand(): Command {
  return new Command('watch')
    .description('Print levels as they change, until it is stopped.')
    .addOption(serverOption())
    .option('-i, --item <code>', 'only this item, by code or barcode')
    .option('-l, --location <code>', 'only this location')
    .option('--json', 'one JSON object a line: position, time, levels')
    .action(watch)
}

async function watch(flags: LevelFlags): Promise<void> {
  const stop = stopSignal()
  const known = new Map<string, number>()
  let failures = 0
  let connected = false
  while (!stop.aborted) {
    try {
      await using reader = await Reader.connect(flags.server, { signal: stop })
      if (!connected) await refuseUnknown(reader, { locations: [flags.location], items: [flags.item] })
      const again = connected
      if (again) process.stderr.write('connected again\n')
      connected = true
      failures = 0
      await Promise.race([show(reader, flags, known, again), fired(stop)])
      if (!stop.aborted) throw new Failure('the server has ended the connection')
    } catch (error) {
      if (stop.aborted) return
      // The first time, a person is told at once that nobody is there; later, the watch outlives the server.
      if (!connected || (error instanceof StockError && !PASSING.has(error.code))) throw error
      if (failures === 0) process.stderr.write(`${oneLine(error)}; trying again\n`)
      if (!(error instanceof NetError || error instanceof Failure || error instanceof StockError)) throw error
      await sleep(backoffMs(failures++, Math.random()), undefined, { signal: stop }).catch(() => {})
    }
  }
}

/** @param again - what has changed since the connection before is shown too */
async function show(reader: Reader, flags: LevelFlags, known: Map<string, number>, again: boolean): Promise<void> {
  let partial = false
  for await (const said of reader.watch(questionOf(flags))) {
    const levels = said.levels ?? []
    if (flags.json === true) {
      process.stdout.write(`${jsonText({ position: said.position, time: said.time, levels })}\n`)
      continue
    }
    if ('answer' in said) partial = said.next !== undefined
    if ('answer' in said) process.stderr.write(`watching ${count(levels.length, 'level')} at position ${said.position}\n`)
    for (const row of levels) {
      const key = `${row.location}\n${row.item}`
      const before = known.get(key)
      known.set(key, row.onHand)
      const isNew = before === undefined && again && !partial
      if ('event' in said || isNew || (before !== undefined && before !== row.onHand))
        process.stdout.write(`${changeLine(said.time, row, before ?? (partial ? undefined : 0))}\n`)
    }
  }
}

function changeLine(time: string, row: LevelRow, before: number | undefined): string {
  const change = before === undefined ? undefined : Number((row.onHand - before).toFixed(3))
  const signed = change === undefined ? '' : `(${change > 0 ? '+' : ''}${change})`
  const figures = `${String(row.onHand).padStart(9)} ${signed.padStart(9)}`
  const line = `${new Date(time).toTimeString().slice(0, 8)}  ${printable(row.location).padEnd(8)} ${printable(row.item).padEnd(28)} ${figures}`
  return row.onHand < 0 ? styleText('red', line, { stream: process.stdout }) : line
}
