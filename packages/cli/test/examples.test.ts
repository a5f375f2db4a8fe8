import assert from 'node:assert/strict'
import { execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { Reader, StockServer, Till } from '@tillwire/stock'

const run = promisify(execFile)
const program = join(import.meta.dirname, '../../../examples/till.py')
const LINES_MAX = 60

function hasPython(): boolean {
  try {
    execFileSync('python3', ['-c', 'import sqlite3'])
    return true
  } catch {
    return false
  }
}

describe('the till in Python', { skip: hasPython() ? false : 'python3 with sqlite3 is not here' }, () => {
  let folder = ''
  let server: StockServer
  let sell: (sales: string) => Promise<string>

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tillwire-example-'))
    await open('tcp://127.0.0.1:0')
    await using till = new Till({ till: 'S01/OFFICE', outbox: join(folder, 'office'), server: server.endpoints[0] as string })
    till.post({ kind: 'location', location: 'S01', at: Date.now() })
    till.post({ kind: 'item', item: 'milk', at: Date.now() })
    await till.settled()
  })

  after(async () => {
    await server.close()
    rmSync(folder, { recursive: true })
  })

  async function open(listen: string): Promise<void> {
    server = await StockServer.open({ data: join(folder, 'data'), listen: [listen] })
    const { hostname, port } = new URL((server.endpoints[0] as string).replace('tcp:', 'http:'))
    sell = async (sales) => {
      const child = run('python3', [program, hostname, port, 'S01/PY', 'S01', join(folder, 'py.db')])
      child.child.stdin?.end(sales)
      return (await child).stdout
    }
  }

  async function sold(): Promise<number> {
    await using reader = await Reader.connect(server.endpoints[0] as string)
    for await (const { levels } of reader.levels({ item: 'milk' })) return -(levels?.[0]?.onHand ?? 0)
    return 0
  }

  it('is as short as it is said to be', () =>
    assert.ok(
      readFileSync(program, 'utf8')
        .split('\n')
        .filter((line) => line.trim() !== '').length <= LINES_MAX,
    ))

  it('sells, and says what the server has to say', async () => {
    assert.equal(await sell('milk 2\nmilk 0.5\n'), "{'seq': 1, 'flags': ['oversold']}\n{'seq': 2, 'flags': ['oversold']}\n")
    assert.equal(await sold(), 2.5)
  })

  it('says which line is no sale', () => assert.rejects(sell('milk two\n'), /\nnot an item and a quantity: milk two\n$/))

  it('sells while the server is away, and each sale arrives once', async () => {
    const [endpoint] = server.endpoints
    await server.close()
    await assert.rejects(sell('milk 1\n'), /Connection refused/)
    await assert.rejects(sell('milk 1\n'), /Connection refused/)
    await open(endpoint as string)
    await sell('')
    assert.equal(await sold(), 4.5)
    await sell('')
    assert.equal(await sold(), 4.5)
  })

  it('goes on where it was killed', async () => {
    const sales = 400
    const { hostname, port } = new URL((server.endpoints[0] as string).replace('tcp:', 'http:'))
    const child = spawn('python3', [program, hostname, port, 'S01/PY', 'S01', join(folder, 'py.db')], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const exited = once(child, 'exit')
    child.stdin.end('milk 1\n'.repeat(sales))
    await once(child.stdout, 'data') // some were acknowledged
    child.kill('SIGKILL')
    await exited
    await sell('')
    assert.equal(await sold(), 4.5 + sales)
  })
})
