import assert from 'node:assert/strict'
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import type { Readable } from 'node:stream'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'

/**
 * Runs the code blocks of the guide. A block behind a `<!-- runs: NAME -->` is run as it stands, and prints what the next `text` block of the
 * page shows, if one follows before the next code, times apart. A block that begins with `// file: NAME` is a file beside it.
 */

const root = join(import.meta.dirname, '..')
const run = promisify(execFile)
const RUN_MS = 60_000

interface Block {
  readonly name: string
  readonly language: string
  readonly text: string
  readonly prints: string | undefined
}

function blocksOf(page: string): Block[] {
  const found: Block[] = []
  const fences = [...page.matchAll(/(?:<!-- runs: ([\w-]+) -->\n)?^```(\w*)\n([\s\S]*?)^```$/gm)]
  for (const [at, fence] of fences.entries()) {
    const [, name, language = '', text = ''] = fence
    if (name === undefined) continue
    const next = fences[at + 1]
    found.push({ name, language, text, prints: next?.[2] === 'text' && next[1] === undefined ? next[3] : undefined })
  }
  return found
}

/** Code that is shown and not run rots; what is no program (`sh`, `text`, `json`…) says so by its language. */
function unmarked(page: string): string[] {
  return [...page.matchAll(/(<!-- runs: [\w-]+ -->\n)?^```(?:ts|js|mjs)\n([\s\S]*?)^```$/gm)]
    .filter((fence) => fence[1] === undefined)
    .map((fence) => fence[2] as string)
}

// Inside a package that may import every package that the guide speaks of; the working folder is that of `@tillwire/net`.
const home = join(root, 'packages/services/test')
const cwd = join(root, 'packages/net')
const bin = join(root, 'packages/cli/bin')

const pages = globSync('docs/{guide,stock}/*.md', { cwd: root }).sort()

for (const file of pages) {
  const page = readFileSync(join(root, file), 'utf8')
  const ofShop = file.startsWith('docs/stock/')
  describe(`the guide’s page ${basename(file)}`, { concurrency: ofShop ? 1 : 2 }, () => {
    const shop = ofShop ? useShop() : undefined
    it('has no code that is not run', () => assert.deepEqual(unmarked(page), []))

    const files = new Map<string, string>()
    for (const { name, language, text, prints } of blocksOf(page)) {
      const beside = /^\/\/ file: (\S+)\n/.exec(text)?.[1]
      if (beside !== undefined) {
        files.set(beside, text)
        continue
      }
      it(`runs: ${name}`, { timeout: RUN_MS }, async () => {
        mkdirSync(home, { recursive: true })
        const folder = shop?.folder ?? mkdtempSync(join(home, '.guide-'))
        try {
          for (const [path, content] of files) writeFileSync(join(folder, path), content)
          const { stdout } = await (language === 'sh' ? shell(text, folder, shop?.env) : program(text, folder, shop?.env))
          if (prints !== undefined) assert.equal(timeless(stdout), timeless(prints))
        } finally {
          if (shop === undefined) rmSync(folder, { recursive: true })
        }
      })
    }
  })
}

/** A page about the stock server has one, on an empty folder, for all of its blocks, which are run in order. */
function useShop(): { readonly folder: string; readonly env: NodeJS.ProcessEnv } {
  const folder = mkdtempSync(join(tmpdir(), 'tillwire-guide-'))
  const endpoint = `unix://${join(folder, 'stock.sock')}`
  let server: ChildProcess | undefined
  before(async () => {
    server = spawn(join(bin, 'tillwire'), ['serve', '--data', join(folder, 'data'), '--listen', endpoint], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(server.stdout as Readable, 'data') // it says where it listens
  })
  after(async () => {
    server?.kill()
    if (server !== undefined) await once(server, 'exit')
    rmSync(folder, { recursive: true })
  })
  return { folder, env: { TILLWIRE_SERVER: endpoint } }
}

/** Times differ from run to run. */
function timeless(text: string): string {
  return text.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME').replace(/\d+\.\d seconds/g, 'TIME')
}

function program(text: string, folder: string, env: NodeJS.ProcessEnv = {}): Promise<{ stdout: string }> {
  const file = join(folder, 'program.ts')
  writeFileSync(file, text)
  return run(process.execPath, ['--conditions=tillwire-source', file], { cwd, env: { ...process.env, ...env }, timeout: RUN_MS })
}

function shell(text: string, folder: string, env: NodeJS.ProcessEnv = {}): Promise<{ stdout: string }> {
  const PATH = `${bin}:${process.env.PATH}`
  return run('sh', ['-ec', text], { cwd: folder, env: { ...process.env, PATH, ...env }, timeout: RUN_MS })
}

describe('the programs of the guide', () => {
  it('are well typed', { timeout: RUN_MS }, async () => {
    const folder = mkdtempSync(join(home, '.guide-'))
    try {
      for (const file of pages) {
        const beside = join(folder, file.replaceAll('/', '-').replace('.md', ''))
        mkdirSync(beside)
        for (const { name, language, text } of blocksOf(readFileSync(join(root, file), 'utf8'))) {
          const path = /^\/\/ file: (\S+\.ts)\n/.exec(text)?.[1] ?? `${name}.ts`
          if (language === 'ts') writeFileSync(join(beside, path), `${text}export {}\n`) // a module, also where it imports nothing
        }
      }
      const compilerOptions = { noUnusedLocals: false, noUnusedParameters: false }
      writeFileSync(
        join(folder, 'tsconfig.json'),
        JSON.stringify({ extends: join(root, 'tsconfig.json'), compilerOptions, include: ['**/*.ts'] }),
      )
      const found = await run(join(root, 'node_modules/.bin/tsc'), ['-p', folder]).catch((error) => error)
      assert.equal(found.stdout, '')
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

describe('the runner of the guide', () => {
  const page = '<!-- runs: a -->\n```ts\n1\n```\n\n```text\n2\n```\n\n<!-- runs: b -->\n```ts\n3\n```\n\n```ts\n4\n```\n'

  it('finds what is to be run, with what it prints', () => {
    assert.deepEqual(blocksOf(page), [
      { name: 'a', language: 'ts', text: '1\n', prints: '2\n' },
      { name: 'b', language: 'ts', text: '3\n', prints: undefined },
    ])
  })

  it('finds code that nobody runs', () => assert.deepEqual(unmarked(page), ['4\n']))
})
