import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type LevelRow, Reader, StockServer, type StockServerOptions } from '../../src/index.ts'
import { later } from './later.ts'

/** A folder of the test's own. */
export async function tempFolder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'tw-'))
  later(t, () => rm(path, { recursive: true, force: true }))
  return path
}

/** A real server until the end of the test. */
export async function openServer(
  t: TestContext,
  data: string,
  options: Partial<StockServerOptions> = {},
): Promise<StockServer & { readonly at: string }> {
  const server = await StockServer.open({ data, listen: ['tcp://127.0.0.1:0'], name: 'test', ...options })
  later(t, () => server.close({ within: 0 }))
  return Object.assign(server, { at: server.endpoints[0] as string })
}

/** All levels of a server, as `S01 milk` → on hand. */
export async function levelsOf(server: string): Promise<Record<string, number>> {
  await using reader = await Reader.connect(server)
  const rows: LevelRow[] = []
  for await (const page of reader.levels()) rows.push(...(page.levels ?? []))
  return Object.fromEntries(rows.map(({ location, item, onHand }) => [`${location} ${item}`, onHand]))
}
