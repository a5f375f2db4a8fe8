import { EXIT, Failure } from '../failure.ts'
import type { InputReader } from './draft-input.ts'
import { textLines } from './text-lines.ts'

/** One basket a line: item names between commas, one of each named. A sale each; empty lines are passed over. */
export const readBaskets: InputReader = async function* (chunks, { location, now }) {
  if (location === undefined) throw new Failure('baskets name no location; add --location', EXIT.usage)
  for await (const { text, number } of textLines(chunks)) {
    const items = text.split(',').map((name) => name.trim())
    if (items.every((name) => name === '')) continue
    const empty = items.indexOf('')
    if (empty >= 0) throw new Failure(`line ${number}: item ${empty + 1} of the basket has no name`, EXIT.usage)
    const lines = items.map((item) => ({ item, quantity: 1 }))
    yield { draft: { kind: 'sale', at: now, location, lines }, line: number }
  }
}
