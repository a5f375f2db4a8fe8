import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'

/** Links inside the repository's documents lead to a file that is there, and to a heading in it. */

const root = join(import.meta.dirname, '..')
const documents = globSync(['*.md', 'docs/**/*.md', 'packages/*/README.md', 'bench/*.md', 'simulate/*.md'], { cwd: root }).sort()

/** The document without its code. */
function prose(text: string): string {
  return text.replaceAll(/^```[\s\S]*?^```$/gm, '').replaceAll(/`[^`\n]*`/g, (code) => code.replaceAll(/[[\]]/g, ''))
}

function linksIn(text: string): string[] {
  return [...prose(text).matchAll(/\]\(([^)\s]+)\)/g)].map((link) => link[1] as string).filter((link) => !/^[a-z]+:/.test(link))
}

/** The names by which a page's headings can be linked to, as the usual renderers make them, and those that it sets itself. */
function anchorsIn(text: string): Set<string> {
  const seen = new Map<string, number>()
  const anchors = new Set([...text.matchAll(/<a id="([^"]+)">/g)].map((anchor) => anchor[1] as string))
  for (const [, heading = ''] of prose(text).matchAll(/^#+ (.+)$/gm)) {
    const words = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase()
    const name = words.replaceAll(/[^\p{L}\p{N}\s_-]/gu, '').replaceAll(' ', '-')
    const times = seen.get(name) ?? 0
    seen.set(name, times + 1)
    anchors.add(times === 0 ? name : `${name}-${times}`)
  }
  return anchors
}

/** The links of a document that lead nowhere. */
function broken(path: string, text: string): string[] {
  return linksIn(text).filter((link) => {
    const [file = '', anchor] = link.split('#')
    const target = file === '' ? path : join(dirname(path), decodeURI(file))
    if (target === path) return anchor !== undefined && !anchorsIn(text).has(anchor)
    if (!existsSync(target)) return true
    if (anchor === undefined || statSync(target).isDirectory()) return false
    return !anchorsIn(readFileSync(target, 'utf8')).has(anchor)
  })
}

describe('the links of the documents', () => {
  for (const path of documents) {
    it(`lead somewhere: ${path}`, () => assert.deepEqual(broken(join(root, path), readFileSync(join(root, path), 'utf8')), []))
  }

  it('are complained of when they do not', () => {
    const text =
      '# A page\n[a](nowhere.md) [b](#a-page) [c](#another) [d](README.md#no-such-thing) [e](README.md) `[f](code.md)` [g](https://h.i)\n'
    assert.deepEqual(broken(join(root, 'made-up.md'), text), ['nowhere.md', '#another', 'README.md#no-such-thing'])
  })

  it('are those of the guide and the reference too', () => {
    for (const path of ['docs/guide/README.md', 'docs/reference/net.md']) assert.ok(documents.includes(path), path)
  })
})
