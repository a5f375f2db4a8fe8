import type { InputDraft } from './draft-input.ts'

/**
 * Puts a definition before the first transaction that moves goods at a location, to one, or of an item, and before a location that stands in
 * another, where the input does not define them itself. It names nothing but the code, so that one that the server knows already stays as it is.
 */
export async function* withDefinitions(drafts: AsyncIterable<InputDraft>, now: number): AsyncGenerator<InputDraft, void, undefined> {
  const locations = new Set<string>()
  const missing = (code: unknown, itself: boolean): string[] => {
    if (typeof code !== 'string') return [] // which is told where it is checked
    const found = [...outerOf(code), ...(itself ? [code] : [])].filter((one) => !locations.has(one))
    for (const one of found) locations.add(one)
    return found
  }
  const items = new Set<string>()
  for await (const { draft, line } of drafts) {
    const named = [
      ...('location' in draft ? missing(draft.location, draft.kind !== 'location') : []),
      ...('to' in draft ? missing(draft.to, true) : []),
    ]
    for (const location of named) yield { draft: { kind: 'location', at: now, location }, line, added: true }
    if (draft.kind === 'location') locations.add(draft.location)
    if (draft.kind === 'item') items.add(draft.item)
    if ('lines' in draft && Array.isArray(draft.lines)) {
      for (const { item } of draft.lines) {
        if (items.has(item)) continue
        items.add(item)
        yield { draft: { kind: 'item', at: now, item }, line, added: true }
      }
    }
    yield { draft, line }
  }
}

/** The locations that one stands in, the outermost first: `S01` of `S01/damaged`. */
function outerOf(code: string): string[] {
  const parts = code.split('/')
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'))
}
