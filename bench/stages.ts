import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { median } from './net/rounds.ts'

/**
 * What a receipt costs the server's main thread up to the ledger, by the two ways to read it, in µs of CPU time:
 * `node --conditions=tillwire-source bench/stages.ts`. Each way has processes of its own, in turn with the other; the figures are medians.
 * What they were stands in `bench/NOTES.md`.
 */

const WAYS = ['text', 'usual'] as const
const TURNS = 5

const script = join(import.meta.dirname, 'servers', 'stages-process.ts')
const readings = new Map<string, number[]>()
for (let turn = 0; turn < TURNS; turn++) {
  for (const way of WAYS) {
    const said = execFileSync(process.execPath, [...process.execArgv, script, way], { encoding: 'utf8' })
    for (const [stage, micros] of Object.entries(JSON.parse(said) as Record<string, number>)) {
      const name = `${way}: ${stage}`
      readings.set(name, [...(readings.get(name) ?? []), micros])
    }
  }
}
console.table(Object.fromEntries([...readings].map(([name, micros]) => [name, { µs: median(micros).toFixed(2) }])))
