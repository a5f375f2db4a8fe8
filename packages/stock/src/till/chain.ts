import { chainHigh, chainLow, chainText, firstChain, hashContent, hashHigh, hashLow, nextChain } from '../protocol/index.ts'

/** The chain of a till's epoch before its first line. */
export function chainBefore(till: string, epoch: number): string {
  firstChain(till, epoch)
  return chainText(chainHigh, chainLow)
}

/** The chain behind one more line, as the server makes it of the bytes that it receives. */
export function chainBehind(before: string, line: string): string {
  const bytes = Buffer.from(line)
  hashContent(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length)
  nextChain(half(before, 0), half(before, 8), hashHigh, hashLow)
  return chainText(chainHigh, chainLow)
}

function half(chain: string, at: number): number {
  return Number.parseInt(chain.slice(at, at + 8), 16) | 0
}
