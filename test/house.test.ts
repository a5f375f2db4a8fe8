/**
 * The rules of the house that no compiler checks. Each rule is a function from sources to complaints, so that it can be shown
 * here, beside its use on the real house, that it does complain.
 */
import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { basename, dirname, join, normalize } from 'node:path'
import { describe, it } from 'node:test'

/** The floors: a package, and those below it that it may import. What is not in this table may not exist. */
const LAYERS: Readonly<Record<string, { readonly name: string; readonly mayImport: readonly string[] }>> = {
  net: { name: '@tillwire/net', mayImport: [] },
  services: { name: '@tillwire/services', mayImport: ['net'] },
  stock: { name: '@tillwire/stock', mayImport: ['net'] },
  web: { name: '@tillwire/web', mayImport: ['net', 'stock'] },
  cli: { name: 'tillwire', mayImport: ['net', 'services', 'stock', 'web'] },
}

/** Folders that import nothing outside themselves: bytes or values in, values out; no clock, no chance, no world. */
const PURE: readonly string[] = ['packages/net/src/framing/', 'packages/stock/src/ledger/']
const IMPURE =
  /\bDate\.now\b|\bnew Date\(\s*\)|\bDate\(\s*\)|\bMath\.random\b|\bperformance\b|\bprocess\b|\bset(?:Timeout|Interval|Immediate)\b|\bcrypto\b/

/** Files that somebody other than a source file starts. */
const ENTRANCES: readonly RegExp[] = [/^packages\/cli\/src\/main\.ts$/, /-(?:thread|process)\.ts$/]

/** Where the error codes of a package stand, and under which heading they are documented. */
const ERROR_TABLES: readonly { readonly file: string; readonly table: string; readonly heading: string }[] = [
  { file: 'packages/net/src/errors.ts', table: 'NET_ERRORS', heading: '@tillwire/net' },
  { file: 'packages/stock/src/errors.ts', table: 'STOCK_ERRORS', heading: '@tillwire/stock' },
]

const LINES_MAX = 450

type Sources = ReadonlyMap<string, string>
interface Manifest {
  readonly name?: string
  readonly dependencies?: Readonly<Record<string, string>>
  /** By subpath: which file answers to it under which condition. */
  readonly exports?: Readonly<Record<string, Readonly<Record<string, string>>>>
}
type Manifests = ReadonlyMap<string, Manifest>

const root = join(import.meta.dirname, '..')
const read = (pattern: string): Sources =>
  new Map(globSync(pattern, { cwd: root }).map((path) => [path.replaceAll('\\', '/'), readFileSync(join(root, path), 'utf8')]))
const sources = read('packages/*/src/**/*.ts')
const tests = read('packages/*/{test,bench}/**/*.ts')
const manifests: Manifests = new Map([...read('packages/*/package.json')].map(([path, text]) => [packageOf(path), JSON.parse(text)]))

/** The code alone: words in comments and texts are no use of a thing. */
function code(text: string): string {
  return text.replace(/('(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, (_all, quoted) =>
    quoted === undefined ? '' : quoted,
  )
}

/** Every specifier that a file imports or passes on, `import()` and `new URL(…, import.meta.url)` included. */
function importsOf(text: string): string[] {
  const forms =
    /\b(?:import|export)\b[^'"();]*?\bfrom\s*['"]([^'"]+)['"]|(?<!['"])\bimport\s*\(?\s*['"]([^'"]+)['"]|\bnew URL\(\s*['"]([^'"]+\.ts)['"]/g
  return [...code(text).matchAll(forms)].map((match) => match[1] ?? match[2] ?? match[3] ?? '')
}

function filesImportedBy(path: string, all: Sources): string[] {
  return filesNamedIn(all.get(path) ?? '', path)
}

/** Two files whose types speak of each other load in any order; `import type` is gone at run time. */
function filesLoadedBy(path: string, all: Sources): string[] {
  return filesNamedIn((all.get(path) ?? '').replace(/^(?:import|export) type [^'"]*['"][^'"]+['"]/gm, ''), path)
}

function filesNamedIn(text: string, path: string): string[] {
  return importsOf(text)
    .filter((specifier) => specifier.startsWith('.'))
    .map((specifier) => normalize(join(dirname(path), specifier)).replaceAll('\\', '/'))
}

/** The files that a package's manifest gives to its users. */
function facesOf(declared: Manifests): string[] {
  return [...declared].flatMap(([folder, { exports = {} }]) =>
    Object.values(exports).map((conditions) =>
      normalize(join('packages', folder, conditions['tillwire-source'] ?? '')).replaceAll('\\', '/'),
    ),
  )
}

function packageOf(path: string): string {
  return path.split('/')[1] ?? ''
}

function brokenLayers(all: Sources, declared: Manifests): string[] {
  const folderOf = new Map(Object.entries(LAYERS).map(([folder, { name }]) => [name, folder]))
  const complaints = [...declared.keys()].filter((folder) => LAYERS[folder]?.name !== declared.get(folder)?.name)
  return [
    ...complaints.map((folder) => `packages/${folder} is not in the table of layers under its name`),
    ...[...all].flatMap(([path, text]) =>
      importsOf(text).flatMap((specifier) => {
        const own = packageOf(path)
        if (specifier.startsWith('.')) {
          const target = normalize(join(dirname(path), specifier)).replaceAll('\\', '/')
          return target.startsWith(`packages/${own}/src/`) ? [] : [`${path} reaches out of its package: ${specifier}`]
        }
        if (specifier.startsWith('node:')) return []
        const name = specifier
          .split('/')
          .slice(0, specifier.startsWith('@') ? 2 : 1)
          .join('/')
        const folder = folderOf.get(name)
        const found: string[] = []
        if (folder !== undefined && !LAYERS[own]?.mayImport.includes(folder)) found.push(`${path} imports ${name}, which is not below it`)
        const subpath = `.${specifier.slice(name.length)}`
        if (folder !== undefined && subpath !== '.' && declared.get(folder)?.exports?.[subpath] === undefined) {
          found.push(`${path} reaches into ${name}: ${specifier}`)
        }
        if (declared.get(own)?.dependencies?.[name] === undefined) found.push(`${path} imports ${name}, which its package does not declare`)
        return found
      }),
    ),
  ]
}

/** Tests look into their own package as deep as they like, and into no other. */
function intrusions(all: Sources): string[] {
  return [...all.keys()].flatMap((path) =>
    filesImportedBy(path, all)
      .filter((target) => target.startsWith('packages/') && packageOf(target) !== packageOf(path))
      .map((target) => `${path} reaches into ${target}`),
  )
}

function circles(all: Sources): string[] {
  const found: string[] = []
  const done = new Set<string>()
  const walk = (path: string, way: readonly string[]): void => {
    const at = way.indexOf(path)
    if (at >= 0) {
      found.push([...way.slice(at), path].join(' → '))
      return
    }
    if (done.has(path) || !all.has(path)) return
    for (const next of filesLoadedBy(path, all)) walk(next, [...way, path])
    done.add(path)
  }
  for (const path of all.keys()) walk(path, [])
  return found
}

function impurities(all: Sources): string[] {
  return [...all].flatMap(([path, text]) => {
    const home = PURE.find((folder) => path.startsWith(folder))
    if (home === undefined) return []
    const out = importsOf(text).filter(
      (specifier) =>
        !specifier.startsWith('.') ||
        !normalize(join(dirname(path), specifier))
          .replaceAll('\\', '/')
          .startsWith(home),
    )
    const bare = code(text).replace(/'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/g, "''")
    const used = IMPURE.exec(bare)?.[0]
    return [...out.map((specifier) => `${path} imports ${specifier}`), ...(used === undefined ? [] : [`${path} uses ${used}`])]
  })
}

function orphans(all: Sources, declared: Manifests): string[] {
  const imported = new Set([...all.keys()].flatMap((path) => filesImportedBy(path, all)))
  const faces = facesOf(declared)
  return [...all.keys()].filter(
    (path) => !imported.has(path) && !faces.includes(path) && !ENTRANCES.some((entrance) => entrance.test(path)),
  )
}

function missing(all: Sources): string[] {
  return [...all.keys()].flatMap((path) =>
    filesImportedBy(path, all)
      .filter((target) => !all.has(target))
      .map((target) => `${path} imports ${target}, which is not there`),
  )
}

function misnamed(paths: Iterable<string>): string[] {
  return [...paths].filter((path) => !/^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.test)?\.ts$/.test(basename(path)))
}

function tooLong(all: Sources): string[] {
  return [...all].filter(([, text]) => text.split('\n').length > LINES_MAX).map(([path]) => path)
}

/** Codes that stand in one of the two and not in the other. */
function undocumented(table: string, text: string, heading: string, document: string): string[] {
  const body = new RegExp(`^export const ${table} = \\{$(.*?)^\\} as const`, 'ms').exec(text)?.[1]
  if (body === undefined) return [`there is no table ${table}`]
  const section = document.split(/^## /m).find((part) => part.startsWith(`${heading}\n`))
  if (section === undefined) return [`docs/errors.md has no section ${heading}`]
  const codes = [...body.matchAll(/^ {2}([a-z_0-9]+):/gm)].map((row) => row[1])
  const told = [...section.matchAll(/^\| `([a-z_0-9]+)` +\|/gm)].map((row) => row[1])
  return [...codes.filter((one) => !told.includes(one)), ...told.filter((one) => !codes.includes(one))].map((one) => `${heading}: ${one}`)
}

const of = (files: Readonly<Record<string, string>>): Sources => new Map(Object.entries(files))

describe('the house', () => {
  it('is there to be looked at', () => {
    assert.ok(sources.size > 20 && manifests.size >= 4, `${sources.size} sources, ${manifests.size} packages`)
  })

  it('has floors: a package imports, by name and declared, only those below it', () => {
    assert.deepEqual(brokenLayers(sources, manifests), [])
    const declared: Manifests = new Map([
      ['net', { name: '@tillwire/net', dependencies: { '@tillwire/stock': '1' }, exports: { '.': {}, './testing': {} } }],
      ['stock', { name: '@tillwire/stock', dependencies: { '@tillwire/net': '1' } }],
    ])
    const complain = (path: string, text: string) => brokenLayers(of({ [path]: text }), declared).length
    assert.equal(complain('packages/stock/src/a.ts', "import { serve } from '@tillwire/net'"), 0)
    assert.equal(complain('packages/net/src/a.ts', "import { x } from '@tillwire/stock'"), 1)
    assert.equal(complain('packages/net/src/a.ts', "export * from '@tillwire/services'"), 2)
    assert.equal(complain('packages/net/src/a.ts', "const x = await import('lodash')"), 1)
    assert.equal(complain('packages/stock/src/a.ts', "import type { X } from '../../net/src/x.ts'"), 1)
    assert.equal(complain('packages/stock/src/a.ts', "import '@tillwire/net/src/x.ts'"), 1)
    assert.equal(complain('packages/stock/src/a.ts', "import { manualClock } from '@tillwire/net/testing'"), 0)
    assert.equal(complain('packages/stock/src/a.ts', "import { x } from '@tillwire/net/test'"), 1)
    assert.equal(brokenLayers(of({}), new Map([['attic', { name: 'attic' }]])).length, 1)
  })

  it('lets the tests of a package into no other', () => {
    assert.deepEqual(intrusions(tests), [])
    assert.equal(intrusions(of({ 'packages/stock/test/a.test.ts': "import { x } from '../../net/src/x.ts'" })).length, 1)
  })

  it('has no circles between files', () => {
    assert.deepEqual(circles(sources), [])
    const circle = of({
      'p/a/src/a.ts': "import './b.ts'",
      'p/a/src/b.ts': "export {\n  c,\n} from './c.ts'",
      'p/a/src/c.ts': "import('./a.ts')",
    })
    assert.equal(circles(circle).length, 1)
    const types = of({ 'p/a/src/a.ts': "import type { B } from './b.ts'", 'p/a/src/b.ts': "import { a } from './a.ts'" })
    assert.equal(circles(types).length, 0)
  })

  it('keeps what is pure pure', () => {
    assert.deepEqual(impurities(sources), [])
    const complain = (text: string) => impurities(of({ 'packages/stock/src/ledger/a.ts': text })).length
    for (const text of [
      "import { readFileSync } from 'node:fs'",
      "import { x } from '../log.ts'",
      "import { x } from '@tillwire/net'",
      'const now = Date.now()',
      'const now = new Date()',
      'const chance = Math.random()',
      'process.exit()',
      'performance.now()',
    ]) {
      assert.equal(complain(text), 1, text)
    }
    assert.equal(complain("import { x } from './sub/x.ts' // not Date.now()\nconst at = new Date(ms), word = 'process'"), 0)
  })

  it('has no file that nobody imports, and imports no file that is not there', () => {
    assert.deepEqual(orphans(sources, manifests), [])
    assert.deepEqual(missing(sources), [])
    const files = { 'packages/net/src/index.ts': "export * from './a.ts'", 'packages/net/src/a.ts': '', 'packages/net/src/lost.ts': '' }
    const face: Manifests = new Map([['net', { exports: { '.': { 'tillwire-source': './src/index.ts' } } }]])
    assert.deepEqual(orphans(of(files), face), ['packages/net/src/lost.ts'])
    assert.deepEqual(orphans(of(files), new Map()).length, 2)
    assert.equal(missing(of({ 'packages/net/src/index.ts': "export * from './gone.ts'" })).length, 1)
  })

  it('names its files in kebab-case', () => {
    assert.deepEqual(misnamed([...sources.keys(), ...globSync('{packages/*/test,test,bench,simulate}/**/*.ts', { cwd: root })]), [])
    assert.equal(misnamed(['a/Good.ts', 'a/notGood.ts', 'a/not_good.ts', 'a/good.ts', 'a/very-good.test.ts']).length, 3)
  })

  it(`has no source file over ${LINES_MAX} lines`, () => {
    assert.deepEqual(tooLong(sources), [])
    assert.equal(tooLong(of({ 'a.ts': '\n'.repeat(LINES_MAX + 1) })).length, 1)
  })

  it('documents every error code, and no other', () => {
    const document = readFileSync(join(root, 'docs/errors.md'), 'utf8')
    for (const { file, table, heading } of ERROR_TABLES) {
      if (existsSync(join(root, file))) assert.deepEqual(undocumented(table, sources.get(file) ?? '', heading, document), [])
    }
    const text = "export const T = {\n  one: '',\n  two: '',\n} as const"
    assert.deepEqual(undocumented('T', text, 'x', '## x\n\n| `one` | a |\n| `three` | b |\n'), ['x: two', 'x: three'])
    assert.equal(undocumented('T', text, 'y', '## x\n').length, 1)
    assert.equal(undocumented('U', text, 'x', '## x\n').length, 1)
  })
})
