/** How the cells of an import are written. Each reader throws an Error whose message says what is allowed. */

/** Between the barcodes, or the packs, of one cell. */
const BETWEEN = '|'

export function numberCell(text: string): number {
  if (!/^[+-]?(\d+\.?\d*|\.\d+)$/.test(text)) throw new Error(`must be a number such as 12 or 0.75, not "${text}"`)
  return Number(text)
}

export function flagCell(text: string): boolean {
  const lower = text.toLowerCase()
  if (['true', 'yes', '1'].includes(lower)) return true
  if (['false', 'no', '0'].includes(lower)) return false
  throw new Error(`must be true or false, not "${text}"`)
}

/** `4006381333931|4006381333948` */
export function listCell(text: string): string[] {
  return text.split(BETWEEN).map((part) => part.trim())
}

/** `4006381333931|4006381333948`; what no scanner reads is a slip of the file. */
export function barcodesCell(text: string): string[] {
  const barcodes = listCell(text)
  for (const barcode of barcodes) {
    if (/^\d([.,]\d+)?E\+?\d+$/i.test(barcode))
      throw new Error(`has "${barcode}", a number as spreadsheets shorten it: make the column text there, and export it again`)
    if (/[\s,;]/.test(barcode)) throw new Error(`has "${barcode}", which is no barcode: several stand as 4006381333931|4006381333948`)
  }
  return barcodes
}

/** `box:12|pallet:480` */
export function packsCell(text: string): { name: string; quantity: number }[] {
  return listCell(text).map((part) => {
    const colon = part.lastIndexOf(':')
    const quantity = part.slice(colon + 1).trim()
    if (colon < 1 || !/^\d+$/.test(quantity)) throw new Error(`must be packs such as box:12|pallet:480, not "${text}"`)
    return { name: part.slice(0, colon).trim(), quantity: Number(quantity) }
  })
}

/** A pack as {@link packsCell} reads it. */
export function packText({ name, quantity }: { readonly name: string; readonly quantity: number }): string {
  return `${name}:${quantity}`
}
