import { strict as assert } from 'node:assert'
import { it } from 'node:test'
import { TempFolder } from '../support/temp-folder.ts'
import { crashRun } from './crash-run.ts'

it('a server and tills that are killed at random lose nothing and count nothing twice (a few seconds of npm run test:crash)', async () => {
  using folder = new TempFolder()
  const { serverKills, tillKills, transactions } = await crashRun({ folder: folder.path, seconds: 4, tills: 2, seed: Date.now() % 1e9 })
  assert.ok(serverKills > 0 && tillKills > 0 && transactions > 100, `${serverKills} ${tillKills} ${transactions}`)
})
