/** A small chain to look at: three stores, a warehouse, forty items. The barcodes are of GS1's range for use inside a shop (20 to 29). */

/** Codes and names of its locations. */
export const LOCATIONS = [
  { code: 'S01', name: 'Harbour Street', type: 'store' },
  { code: 'S02', name: 'Old Market', type: 'store' },
  { code: 'S03', name: 'Station', type: 'store' },
  { code: 'W01', name: 'Central warehouse', type: 'warehouse' },
] as const

const NAMES = [
  'whole milk',
  'oat drink',
  'butter',
  'yogurt',
  'eggs',
  'cream cheese',
  'hard cheese',
  'rolls',
  'rye bread',
  'white bread',
  'apples',
  'bananas',
  'oranges',
  'lemons',
  'grapes',
  'tomatoes',
  'cucumber',
  'carrots',
  'onions',
  'potatoes',
  'lettuce',
  'peppers',
  'chicken',
  'minced beef',
  'sausages',
  'salmon',
  'rice',
  'pasta',
  'flour',
  'sugar',
  'salt',
  'olive oil',
  'coffee',
  'tea',
  'orange juice',
  'mineral water',
  'beer',
  'chocolate',
  'napkins',
  'soap',
] as const

/** An item of the sample chain. */
export interface SampleItem {
  readonly code: string
  readonly name: string
  readonly barcode: string
}

/** The forty items. */
export const ITEMS: readonly SampleItem[] = NAMES.map((name, index) => ({
  code: `A${String(index + 1).padStart(3, '0')}`,
  name,
  barcode: gtin13(`20000000${String(index + 1).padStart(4, '0')}`),
}))

/** Twelve digits with the check digit of a GTIN-13 (GS1 General Specifications, 7.9). */
function gtin13(digits: string): string {
  const sum = [...digits].reduce((total, digit, index) => total + Number(digit) * (index % 2 === 0 ? 1 : 3), 0)
  return digits + ((10 - (sum % 10)) % 10)
}
