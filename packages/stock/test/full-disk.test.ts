import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { describe, it, type TestContext } from 'node:test'
import { Reader, type ServerReport, StockServer, Till, verifyData } from '../src/index.ts'
import { later } from './support/later.ts'
import { levelsOf, tempFolder } from './support/real-server.ts'

const SALES = 300
const PAGE_BYTES = 4096

/** A disk that can be filled, and emptied again. */
interface SmallDisk {
  readonly folder: string
  fill(): void
  makeRoom(): void
}

/** A file system of a few megabytes in memory; undefined where this process may not mount one. */
function tmpfs(t: TestContext, parent: string): SmallDisk | undefined {
  const folder = `${parent}/disk`
  mkdirSync(folder)
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tillwire-test', folder], { stdio: 'ignore' })
  } catch {
    return undefined
  }
  later(t, () => execFileSync('umount', ['-l', folder]))
  const ballast = `${folder}/ballast`
  return {
    folder,
    fill() {
      const file = openSync(ballast, 'w')
      const piece = Buffer.alloc(PAGE_BYTES)
      try {
        for (;;) writeSync(file, piece) // the server writes too: how much room there is nobody can say before
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
      } finally {
        closeSync(file)
      }
    },
    makeRoom: () => rmSync(ballast),
  }
}

/** Resolves when something the test was told makes it true. */
class Told {
  readonly reports: ServerReport[] = []
  #look = (): void => {}

  readonly hear = (report: ServerReport): void => {
    this.reports.push(report)
    this.#look()
  }

  /** The next report of an event, also one that came before. */
  of(event: ServerReport['event']): Promise<ServerReport> {
    return new Promise((resolve) => {
      this.#look = () => {
        const found = this.reports.find((report) => report.event === event)
        if (found !== undefined) resolve(found)
      }
      this.#look()
    })
  }
}

/** Sells through a till while the disk of the server is full, and after there is room again. */
async function throughAFullDisk(t: TestContext, parent: string, disk: SmallDisk): Promise<void> {
  const told = new Told()
  const data = `${disk.folder}/data`
  const server = await StockServer.open({
    data,
    listen: ['tcp://127.0.0.1:0'],
    limits: { logRetryMs: 20, projectionMs: 5 },
    report: told.hear,
  })
  later(t, () => server.close({ within: 0 }))
  const at = server.endpoints[0] as string
  await using till = new Till({ till: 'S01/T1', outbox: `${parent}/outbox`, server: at, limits: { ackMs: 60_000 } })
  const sale = (quantity: number): number =>
    till.post({ kind: 'sale', at: Date.now(), location: 'S01', lines: [{ item: 'milk', quantity }], ref: 'r'.repeat(60) })
  till.post({ kind: 'location', at: Date.now(), location: 'S01' })
  sale(1)
  await till.settled()
  disk.fill()
  // The files may have some room left within; it is used up sooner or later.
  while (!told.reports.some(({ event }) => event === 'log_stalled')) {
    sale(1)
    await new Promise<void>((resolve) => setTimeout(resolve, 1))
  }
  const { acked, last } = till
  assert.ok(acked < last, 'some are not acknowledged')
  assert.equal(server.position, acked + 1, 'and those are not counted') // one before them: the till was registered
  for (let more = 0; more < SALES; more++) sale(1)
  const held = await levelsOf(at)
  assert.deepEqual(held, { 'S01 milk': -(acked - 1) }, 'reads go on, and hold what is durable')
  assert.deepEqual([till.state.line, server.connections >= 1, till.acked], ['online', true, acked], 'the till is held, not dropped')
  assert.equal(server.trouble?.code, 'log_unwritable')
  disk.makeRoom()
  await told.of('log_resumed')
  await till.settled()
  assert.equal(server.trouble, undefined)
  assert.deepEqual(await levelsOf(at), { 'S01 milk': -(till.last - 1) })
  await using reader = await Reader.connect(at)
  assert.equal(reader.welcome.welcome, 1)
  await server.close()
  const { damages, position, unbalanced } = await verifyData(data, { work: parent })
  assert.deepEqual([damages, unbalanced, position], [[], [], till.last + 1])
}

describe('a disk that is full', () => {
  it('loses nothing, holds the tills, and goes on when there is room (a small file system in memory)', async (t) => {
    const parent = await tempFolder(t)
    const disk = tmpfs(t, parent)
    if (disk === undefined) return t.skip('this process may not mount a file system')
    await throughAFullDisk(t, parent, disk)
  })

  it('loses nothing, holds the tills, and goes on when there is room (writes that SQLite refuses)', async (t) => {
    const parent = await tempFolder(t)
    const log = `${parent}/data/log.db`
    const edit = (sql: string): void => {
      const db = new DatabaseSync(log, { timeout: 5_000 })
      db.exec(sql)
      db.close()
    }
    await throughAFullDisk(t, parent, {
      folder: parent,
      fill: () => edit(`CREATE TRIGGER full BEFORE INSERT ON batch BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END`),
      makeRoom: () => edit('DROP TRIGGER full'),
    })
  })
})
