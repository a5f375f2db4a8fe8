import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { dirname, join } from 'node:path'
import { flag, optionsOf, path } from '../../tools/options.ts'
import { CASES, type Case } from './cases.ts'
import { Generator } from './generator.ts'
import { type Measured, measure, median, type Pace } from './rounds.ts'

/** `npm run bench:net`: what an echo costs here, on the bare platform and in Python. How to read it stands in `bench/README.md`. */

const flags = optionsOf('npm run bench:net --', 'Measures what an echo costs here, on the bare platform and in Python.', {
  quick: flag('the short form'),
  json: path('where the figures are written (default: bench/results/net.json)'),
})
const pace: Pace = flags.quick ? { rounds: 7, ms: 120, warmUpMs: 400 } : { rounds: 41, ms: 120, warmUpMs: 1_500 }

const generator = new Generator()
const results: { readonly case: Case; readonly rows: readonly Measured[] }[] = []
try {
  for (const one of CASES) {
    const rows = await measure(one, generator, pace)
    print(one, rows)
    results.push({ case: one, rows })
  }
} finally {
  generator.stop()
}
const file = flags.json ?? join(import.meta.dirname, '..', 'results', 'net.json')
mkdirSync(dirname(file), { recursive: true })
const machine = { node: process.version, cpus: cpus().length, cpu: cpus()[0]?.model }
writeFileSync(file, `${JSON.stringify({ ...machine, ...pace, results }, null, 2)}\n`)

function print({ name, head, goals, against }: Case, rows: readonly Measured[]): void {
  console.log(`\n${name}`)
  console.table(
    Object.fromEntries(
      rows.map(({ server, figures, quotients }) => [
        server,
        {
          'messages/s': Math.round(figures.messagesPerSecond),
          'server CPU µs': round(figures.cpuMicros),
          'messages/CPU s': Math.round(figures.messagesPerCpuSecond),
          cores: round(figures.cores),
          'load CPU µs': round(figures.loadCpuMicros),
          [head]: round(median(quotients)),
          spread: spread(quotients),
        },
      ]),
    ),
  )
  for (const goal of goals) {
    const reached = rows.find(({ server }) => server === goal.server.name)
    if (reached === undefined) continue
    const quotient = median(reached.quotients)
    const met = goal.bound === 'at most' ? quotient <= goal.quotient : quotient >= goal.quotient
    console.log(
      `goal: ${goal.server.name} ${goal.bound} ${goal.quotient} × ${against.name}: ${met ? 'met' : 'missed'} with ${round(quotient)} (${spread(reached.quotients)})`,
    )
  }
}

function spread(sorted: readonly number[]): string {
  return `${round(sorted[0] as number)} to ${round(sorted.at(-1) as number)}`
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
