import { StockError } from '../errors.ts'
import type { StockLimits } from '../limits.ts'
import { type Draft, decodeTransaction, encodeTransaction, parseObject } from '../protocol/index.ts'

/**
 * The line of a draft, after the same check that the server makes: what it would turn away must not enter the queue.
 * @throws StockError `bad_field`, `line_too_long`.
 */
export function checkedLine(draft: Draft, seq: number, { lineBytesMax }: StockLimits): string {
  const line = encode(draft, seq)
  decodeTransaction(parseObject(line))
  const bytes = Buffer.byteLength(line)
  if (bytes >= lineBytesMax) throw new StockError('line_too_long', `the transaction takes ${bytes} bytes; a line may have ${lineBytesMax}`)
  return line
}

function encode(draft: Draft, seq: number): string {
  try {
    return encodeTransaction(draft, seq)
  } catch (cause) {
    throw new StockError('bad_field', 'at must be a time in milliseconds since 1970', { field: 'at', cause })
  }
}
