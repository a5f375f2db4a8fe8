import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { choices, flag, optionsOf, path } from '../tools/options.ts'
import { startCeiling } from './contenders/ceiling.ts'
import type { Contender } from './contenders/contender.ts'
import { startPostgres } from './contenders/postgres.ts'
import { startRedis } from './contenders/redis.ts'
import { Tillwire } from './contenders/tillwire.ts'
import { FORMS, type Form } from './form.ts'
import { measureGrowth } from './measures/growth.ts'
import { measureMemory } from './measures/memory.ts'
import { measurePaced } from './measures/paced.ts'
import { measureRates, TILLWIRE_8_1000 } from './measures/rates.ts'
import { measureWatching } from './measures/watching.ts'
import { chart } from './report/chart.ts'
import { describeMachine, type Results } from './report/results.ts'
import { print } from './report/table.ts'
import { Scratch } from './scratch.ts'

/** `npm run bench`: the stock server beside what else there is. How to read it stands in `bench/README.md`. */

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

const MEASURES = ['rates', 'paced', 'watching', 'memory', 'growth'] as const

const flags = optionsOf('npm run bench --', 'Measures the stock server beside what a user would pick instead.', {
  quick: flag('the short form, under 30 seconds'),
  long: flag('the long form: five minutes by the clock, 50,000,000 lines'),
  only: choices('measures this alone; may be given again', MEASURES),
  json: path('where the figures are written (default: bench/results/bench.json), the chart beside them'),
})
const form = FORMS[flags.quick ? 'quick' : flags.long ? 'long' : 'full']
const wanted = new Set(flags.only)
const file = flags.json ?? join(import.meta.dirname, 'results', 'bench.json')
const results: Results = { machine: describeMachine(form.name) }
const say = (text: string): void => console.error(`${new Date().toISOString().slice(11, 19)} ${text}`)

{
  using scratch = new Scratch()
  if (wanted.has('memory') && form.memory) {
    say('memory')
    results.memory = await measureMemory(scratch)
  }
  if (wanted.has('rates') || wanted.has('paced') || wanted.has('watching')) await measureServing(scratch, form)
  if (wanted.has('growth') && form.growthLines.length > 0) results.growth = await measureGrowth(scratch, form, say)
}
print(results)
mkdirSync(dirname(file), { recursive: true })
writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`)
const picture = file.replace(/(\.json)?$/, '.svg')
writeFileSync(picture, chart(results))
console.log(`${file}, ${picture}`)

/** What is measured with one set of servers, from the first receipt on. */
async function measureServing(scratch: Scratch, { pacedMs, settles }: Form): Promise<void> {
  const others: Contender[] = []
  const tillwire = await Tillwire.start(scratch.folder('tillwire'))
  try {
    await tillwire.define()
    if (settles) await tillwire.settled()
    say('the chain is defined')
    if (wanted.has('rates')) {
      others.push(await startCeiling(scratch.folder('ceiling')))
      const installable = form.others ? { PostgreSQL: startPostgres, Redis: startRedis } : {}
      for (const [name, start] of Object.entries(installable)) {
        const contender = await start(scratch.folder(name.toLowerCase()))
        if (contender === undefined) say(`${name} is not installed here: left out`)
        else others.push(contender)
      }
      results.rates = await measureRates([tillwire, ...others], form, say)
    }
    for (const other of others.splice(0)) await other.end()
    const perSecond =
      results.rates?.find(({ entry }) => entry === TILLWIRE_8_1000)?.median.receiptsPerSecond ?? TILLWIRE_8_1000.guessPerSecond
    if (wanted.has('watching')) {
      say('watchers')
      results.watching = await measureWatching(tillwire, perSecond, form)
    }
    if (wanted.has('paced')) {
      const half = Math.round(perSecond / 2)
      if (settles) await tillwire.settled()
      say(`half the rate, for ${pacedMs / 1000} s`)
      results.paced = [await measurePaced(tillwire, half, pacedMs)]
      tillwire.program.pause()
      const ceiling = await startCeiling(scratch.folder('ceiling-paced'))
      others.push(ceiling)
      results.paced.push(await measurePaced(ceiling, half, pacedMs))
    }
  } finally {
    for (const other of others) await other.end()
    await tillwire.end()
  }
}
