import { flag, number, optionsOf } from '../tools/options.ts'
import { simulate } from './simulate.ts'

const values = optionsOf('npm run simulate --', 'Lets a chain of tills and a server live through accidents; a seed says which.', {
  seed: number('the first seed', 1),
  seeds: number('how many seeds, one after the other', 1, { min: 1 }),
  hours: number('how long each chain lives, by its own clock', 1, { min: 0.01, whole: false }),
  failures: number('after so many failures it stops', 10, { min: 1 }),
  trace: flag('says every step'),
})
const { seed: first, seeds: count, hours, failures: most } = values

const started = performance.now()
let [ran, steps, transactions, failures] = [0, 0, 0, 0]
for (let seed = first; seed < first + count && failures < most; seed++) {
  const outcome = await simulate({ seed, hours, ...(values.trace ? { trace: (line: string) => console.log(line) } : {}) })
  ran++
  steps += outcome.steps
  transactions += outcome.transactions
  if (outcome.failure !== undefined) {
    failures++
    const { time, error } = outcome.failure
    console.log(`seed ${seed} fails at step ${outcome.steps} (${time}), with: ${outcome.troubles.join(', ')}`)
    console.log(indented(error instanceof Error && error.name !== 'Violation' ? String(error.stack) : String(error)))
    console.log(`  again: npm run simulate -- --seed ${seed} --hours ${hours} --trace`)
  } else if (count === 1) {
    console.log(
      `seed ${seed}: ${outcome.steps} steps, ${outcome.transactions} transactions, ${outcome.promises} acknowledged; hash ${outcome.hash}`,
    )
  }
}
const seconds = (performance.now() - started) / 1000
console.log(
  `${ran} seeds of ${hours} h, ${failures} failed; ${steps} steps, ${transactions} transactions; ` +
    `${(ran / seconds).toFixed(1)} seeds/s, ${((ran * hours) / seconds).toFixed(1)} simulated hours/s`,
)
process.exitCode = failures > 0 ? 1 : 0

function indented(text: string): string {
  return text.replace(/^/gm, '  ')
}
