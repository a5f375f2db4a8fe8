import assert from 'node:assert/strict'
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'

/**
 * Runs the code blocks of the READMEs. A block behind a `<!-- runs: NAME -->` is run as it stands; blocks of one name run in one folder, in
 * order, as a reader would follow them.
 */

const root = join(import.meta.dirname, '..')
const run = promisify(execFile)
const readme = readFileSync(join(root, 'README.md'), 'utf8')

function blocks(name: string, document = readme): string[] {
  const marked = [...document.matchAll(/<!-- runs: (\w+) -->\n```\w+\n([\s\S]*?)```/g)]
  return marked.filter((match) => match[1] === name).map((match) => match[2] as string)
}

describe('the README', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tillwire-readme-'))
  const socket = `unix://${folder}/stock.sock`
  const scripts = mkdtempSync(join(root, 'test', '.readme-'))
  const environment = { ...process.env, PATH: `${folder}/bin:${process.env.PATH}` }
  let server: ChildProcess

  before(async () => {
    // Outside a checkout `npx tillwire` does not find this one; and the port of the README may be somebody's.
    await run('mkdir', [join(folder, 'bin')])
    const shim = `#!/bin/sh
shift
case "$1" in serve) set -- "$@" --listen "${socket}" ;; post | levels) set -- "$@" --server "${socket}" ;; esac
exec "${join(root, 'packages/cli/bin/tillwire')}" "$@"
`
    writeFileSync(join(folder, 'bin/npx'), shim)
    chmodSync(join(folder, 'bin/npx'), 0o755)
    const [serve] = blocks('serve')
    server = spawn('sh', ['-c', `exec ${serve}`], { cwd: folder, env: environment, stdio: ['ignore', 'pipe', 'inherit'] })
    const said = await Promise.race([once(server.stdout as NonNullable<typeof server.stdout>, 'data'), once(server, 'exit')])
    assert.equal(String(said[0]), `stock listening on ${socket}\n`)
  })

  after(async () => {
    const gone = server.exitCode === null && server.signalCode === null ? once(server, 'exit') : undefined
    server.kill('SIGTERM')
    await gone
    rmSync(folder, { recursive: true })
    rmSync(scripts, { recursive: true })
  })

  it('shows how to post and what is answered', async () => {
    const [posting, baskets] = blocks('main')
    const { stdout } = await run('sh', ['-ec', posting as string], { cwd: folder, env: environment })
    const shown = /```text\n(4 transactions[\s\S]*?)```/.exec(readme)?.[1]
    assert.equal(timeless(stdout), timeless(shown as string))
    const again = await run('sh', ['-ec', baskets as string], { cwd: folder, env: environment })
    assert.match(again.stdout, /^2 transactions, 4 lines, 0 refused, 2 flagged/)
  })

  it('shows how to ask ledger.db', async () => {
    const db = new DatabaseSync(join(folder, 'my-chain/ledger.db'), { readOnly: true })
    try {
      const [queries] = blocks('sql')
      const answers = (queries as string)
        .trim()
        .split('\n')
        .map((query) => db.prepare(query).all().length)
      assert.equal(answers.length, 3)
    } finally {
      db.close()
    }
  })

  it('shows a till in a program of one’s own', async () => {
    const [program] = blocks('till')
    const file = join(scripts, 'till.ts')
    writeFileSync(file, (program as string).replace('tcp://127.0.0.1:7117', socket).replace('./outbox', `${folder}/outbox`))
    await run(process.execPath, ['--conditions=tillwire-source', file], { cwd: scripts })
    const { stdout } = await run('sh', ['-c', 'npx tillwire levels --item milk'], { cwd: folder, env: environment })
    assert.match(stdout, /S01 +milk +114 /)
  })

  it('shows how to run a small service and how to call it', async (t) => {
    const [runs] = blocks('run')
    const service = spawn('sh', ['-c', `exec ${runs}`], { cwd: folder, env: environment, stdio: ['ignore', 'pipe', 'ignore'] })
    t.after(() => service.kill('SIGTERM'))
    await once(service.stdout, 'data')
    const [calls] = blocks('call')
    const { stdout } = await run('sh', ['-ec', calls as string], { cwd: folder, env: environment })
    assert.equal(stdout, /```text\n(up to the minute\n[\s\S]*?)```/.exec(readme)?.[1])
  })

  it('runs every block that it marks, and marks the ones that it names', () => {
    const names = [...readme.matchAll(/<!-- runs: (\w+) -->/g)].map((match) => match[1])
    assert.deepEqual(names, ['serve', 'main', 'main', 'sql', 'till', 'run', 'call'])
  })
})

describe('the README of a package', () => {
  for (const name of ['net', 'services', 'stock']) {
    it(`shows a program that prints what stands below it (${name})`, async () => {
      const document = readFileSync(join(root, 'packages', name, 'README.md'), 'utf8')
      const [program] = blocks(name, document)
      // Inside the package: there its imports are what they are for its users.
      const scripts = mkdtempSync(join(root, 'packages', name, 'test', '.readme-'))
      try {
        writeFileSync(join(scripts, 'program.ts'), program as string)
        const { stdout } = await run(process.execPath, ['--conditions=tillwire-source', 'program.ts'], { cwd: scripts })
        assert.equal(stdout, /```text\n([\s\S]*?)```/.exec(document)?.[1])
      } finally {
        rmSync(scripts, { recursive: true })
      }
    })
  }
})

function timeless(text: string): string {
  return text.replaceAll(/\d+\.\d seconds/g, 'N seconds').replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
}
