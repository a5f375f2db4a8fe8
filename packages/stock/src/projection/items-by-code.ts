import type { Item, Ledger } from '../ledger/index.ts'

/** The items by the codes that the tables say: an absorbed one by its own, which till and ledger take for another's barcode. */
export function itemsByCode({ items }: Ledger): (code: string) => Item {
  const absorbed = new Map(
    items
      .all()
      .filter((item) => item.absorbed)
      .map((item) => [item.code, item]),
  )
  return (code) => absorbed.get(code) ?? (items.find(code) as Item)
}
