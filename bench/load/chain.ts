/** The chain that every contender keeps the stock of. */

export const ITEMS = 20_000
export const STORES = 50
/** On hand of each item in each store before the first receipt, so that no receipt has anything to say. */
export const OPENING_STOCK = 1_000_000_000

export function storeCode(store: number): string {
  return `S${String(store + 1).padStart(2, '0')}`
}

export function itemCode(item: number): string {
  return String(4_006_381_000_000 + item)
}

/** A few items sell most: the rank falls off as in Zipf's law, by inverting its integral. */
export function drawItem(random: () => number): string {
  return itemCode(Math.min(ITEMS - 1, Math.floor(ITEMS ** random()) - 1))
}

/** mulberry32: the same load in every run. */
export function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}
