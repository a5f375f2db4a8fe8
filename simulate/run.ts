import { parseArgs } from 'node:util'
import { simulate } from './simulate.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '1' },
    hours: { type: 'string', default: '1' },
    failures: { type: 'string', default: '10' },
    trace: { type: 'boolean', default: false },
  },
})
const [first, count, hours, most] = [values.seed, values.seeds, values.hours, values.failures].map(Number) as [
  number,
  number,
  number,
  number,
]
if (!Number.isSafeInteger(first) || !Number.isSafeInteger(count) || count < 1 || !(most >= 1) || !(hours > 0)) {
  console.error('npm run simulate -- [--seed N] [--seeds COUNT] [--hours H] [--failures MOST] [--trace]')
  process.exit(2)
}

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
