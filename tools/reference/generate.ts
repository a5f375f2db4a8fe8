import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Application, type ProjectReflection, ReflectionKind } from 'typedoc'

/**
 * Writes `docs/reference`: a page for each entry point of the packages that others program against, from the TSDoc of what it exports.
 * With `--check` nothing is written; it fails when the pages are not what would be written. Both fail on a public declaration without a word.
 */

const root = resolve(import.meta.dirname, '../..')
const reference = join(root, 'docs/reference')
const PACKAGES = ['packages/net', 'packages/services']
const CONDITION = 'tillwire-source'

interface EntryPoint {
  /** As it is imported. */
  readonly name: string
  readonly file: string
}

/** The entry points that a package's manifest exports. */
function entryPointsOf(folder: string): EntryPoint[] {
  const { name, exports } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as {
    readonly name: string
    readonly exports: Readonly<Record<string, Readonly<Record<string, string>>>>
  }
  return Object.entries(exports).flatMap(([path, conditions]) => {
    const source = conditions[CONDITION]
    return source === undefined ? [] : [{ name: name + path.slice(1), file: join(root, folder, source) }]
  })
}

async function generate(out: string): Promise<void> {
  const entryPoints = PACKAGES.flatMap(entryPointsOf)
  const app = await Application.bootstrapWithPlugins({
    name: 'Reference',
    entryPoints: entryPoints.map(({ file }) => file),
    tsconfig: join(import.meta.dirname, 'tsconfig.json'),
    skipErrorChecking: true, // `npm run types` does
    logLevel: 'Warn',
    out,
    readme: 'none',
    disableSources: true, // line numbers would change the pages with every change of the sources
    disableGit: true,
    excludeExternals: true,
    excludeInternal: true,
    sortEntryPoints: false,
    groupOrder: ['Functions', 'Classes', 'Interfaces', 'Type Aliases', 'Variables'],
    validation: { notExported: false, invalidLink: true, notDocumented: true },
    packagesRequiringDocumentation: entryPoints.map(({ name }) => name),
    treatWarningsAsErrors: true,
    // What follows belongs to the plugin, whose options typedoc's own types do not know.
    plugin: ['typedoc-plugin-markdown'],
    ...{
      router: 'module',
      excludeScopesInPaths: true,
      hidePageHeader: true,
      hideBreadcrumbs: true,
      useCodeBlocks: true,
      parametersFormat: 'table',
      interfacePropertiesFormat: 'table',
      typeDeclarationFormat: 'table',
      classPropertiesFormat: 'table',
      expandParameters: true,
      expandObjects: true,
    },
  })
  const project = await app.convert()
  if (project === undefined) throw new Error('the sources cannot be read')
  nameAsImported(project, entryPoints)
  app.options.setValue('intentionallyNotDocumented', rowsOfTables(project))
  app.validate(project)
  if (app.logger.hasErrors() || app.logger.hasWarnings()) throw new Error('the reference has the faults that are named above')
  await app.generateOutputs(project)
}

/** Typedoc names an entry point by its file. */
function nameAsImported(project: ProjectReflection, entryPoints: readonly EntryPoint[]): void {
  const modules = project.children ?? []
  if (modules.length !== entryPoints.length) throw new Error(`${modules.length} modules were read of ${entryPoints.length}`)
  for (const [at, module] of modules.entries()) module.name = (entryPoints[at] as EntryPoint).name
}

/** A row of a table that is a value, as `NET_ERRORS` is, says itself what it means. */
function rowsOfTables(project: ProjectReflection): string[] {
  return project
    .getReflectionsByKind(ReflectionKind.Property)
    .filter((property) => !property.hasComment() && property.parent?.parent?.kindOf(ReflectionKind.Variable))
    .map((property) => property.getFullName())
}

function pagesIn(folder: string): Map<string, string> {
  return new Map(
    globSync('**/*.md', { cwd: folder })
      .sort()
      .map((path) => [path, readFileSync(join(folder, path), 'utf8')]),
  )
}

/** The pages that are not the same in both, or are in one alone. */
function differences(one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): string[] {
  return [...new Set([...one.keys(), ...other.keys()])].filter((path) => one.get(path) !== other.get(path))
}

if (process.argv.includes('--check')) {
  const fresh = mkdtempSync(join(tmpdir(), 'reference-'))
  try {
    await generate(fresh)
    const stale = differences(pagesIn(fresh), pagesIn(reference))
    if (stale.length > 0) {
      console.error(`docs/reference is stale (${stale.join(', ')}): run npm run docs`)
      process.exitCode = 1
    }
  } finally {
    rmSync(fresh, { recursive: true })
  }
} else {
  await generate(reference)
}
