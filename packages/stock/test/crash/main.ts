import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { number, optionsOf } from '../../../../tools/options.ts'
import { crashRun } from './crash-run.ts'

const START_MS_MAX = 1_000

const { seconds, tills, seed } = optionsOf(
  'npm run test:crash --',
  'Kills a server and its tills, again and again, while they sell, and then counts.',
  {
    seconds: number('how long', 120, { min: 1 }),
    tills: number('how many tills', 4, { min: 1 }),
    seed: number('who is killed when', Date.now() % 1e9),
  },
)
const folder = mkdtempSync(join(tmpdir(), 'tillwire-crash-'))
console.log(`killing a server and ${tills} tills for ${seconds} seconds, seed ${seed}, in ${folder}`)
const { serverKills, tillKills, transactions, starts } = await crashRun({ folder, seconds, tills, seed })
const opened = starts.map(({ openMs }) => openMs).sort((a, b) => a - b)
const started = starts.map(({ processMs }) => processMs).sort((a, b) => a - b)
const most = started.at(-1) ?? 0 // what a shop waits for: the process too
const figures = (sorted: readonly number[]): string => `median ${sorted[sorted.length >> 1]} ms, longest ${sorted.at(-1)} ms`
console.log(`${starts.length} starts, from the folder to listening: ${figures(opened)}; with the start of the process: ${figures(started)}`)
console.log(
  `${serverKills + tillKills} kills (${serverKills} of the server, ${tillKills} of tills), ${transactions} transactions: nothing lost, nothing twice, each till in its order, every item adds up to 0`,
)
if (most >= START_MS_MAX) {
  console.log(`a start took ${most} ms; it should be under ${START_MS_MAX}`)
  for (const [index, start] of starts.entries())
    if (start.processMs >= START_MS_MAX) console.log(`start ${index + 1} of ${starts.length}: ${JSON.stringify(start)}`)
  process.exitCode = 1
}
rmSync(folder, { recursive: true, force: true })
