import type { InputDraft } from './draft-input.ts'

/**
 * Puts a definition before the first transaction that names a location or an item. It names nothing but the code, so that one that the
 * server knows already stays as it is.
 */
export async function* withDefinitions(drafts: AsyncIterable<InputDraft>, now: number): AsyncGenerator<InputDraft, void, undefined> {
  const locations = new Set<string>()
  const items = new Set<string>()
  for await (const { draft, line } of drafts) {
    if ('lines' in draft && Array.isArray(draft.lines)) {
      const { location } = draft
      if (!locations.has(location)) {
        locations.add(location)
        yield { draft: { kind: 'location', at: now, location }, line, added: true }
      }
      for (const { item } of draft.lines) {
        if (items.has(item)) continue
        items.add(item)
        yield { draft: { kind: 'item', at: now, item }, line, added: true }
      }
    }
    yield { draft, line }
  }
}
