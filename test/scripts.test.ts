import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const SCRIPTS = [
  'simulate/run.ts',
  'bench/bench.ts',
  'bench/net/echo.ts',
  'bench/tables.ts',
  'bench/purchasing.ts',
  'packages/stock/test/crash/main.ts',
]

function run(script: string, ...args: string[]): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  return spawnSync(process.execPath, ['--conditions=tillwire-source', script, ...args], { cwd: ROOT, encoding: 'utf8' })
}

describe('the scripts of the repository', () => {
  for (const script of SCRIPTS) {
    it(`say their options when asked, and an option that is not one is a line on stderr: ${script}`, () => {
      const helped = run(script, '--help')
      assert.equal(helped.status, 0, helped.stderr)
      assert.match(helped.stdout, /^Usage: .+ \[options\]\n\n.+\.\n\n( {2}--.+\n)+$/)
      const { status, stdout, stderr } = run(script, '--no-such')
      assert.deepEqual([status, stdout], [2, ''])
      assert.match(stderr, /^[^\n]*--no-such[^\n]*--help says what there is\n$/)
    })
  }

  it('say what is allowed where a value is wrong', () => {
    const wrong = [
      [['simulate/run.ts', '--seeds', '0'], /^--seeds is a whole number from 1 on, not '0'/],
      [['simulate/run.ts', '--hours', ''], /^--hours is a number from 0.01 on, not ''/],
      [['simulate/run.ts', '--seed', '1', '--seed', '2'], /^--seed can be given once/],
      [['bench/bench.ts', '--only', 'rate'], /^--only is one of rates, paced, watching, memory, growth, not 'rate'/],
    ] as const
    for (const [[script, ...args], message] of wrong) {
      const { status, stderr } = run(script, ...args)
      assert.equal(status, 2)
      assert.match(stderr, message)
    }
  })
})
