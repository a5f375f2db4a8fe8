/** GTINs (EAN, UPC): 8, 12, 13 or 14 digits, the last of which checks the others. The rule is GS1's: weights 3 and 1 from the right. */
const GTIN = /^(?:\d{8}|\d{12,14})$/

/** Whether a code looks like a GTIN and its check digit is not the one that the other digits call for. */
export function hasWrongCheckDigit(code: string): boolean {
  if (!GTIN.test(code)) return false
  let sum = 0
  for (let index = code.length - 2, weight = 3; index >= 0; index--, weight = 4 - weight) sum += (code.charCodeAt(index) - 48) * weight
  return (10 - (sum % 10)) % 10 !== code.charCodeAt(code.length - 1) - 48
}
