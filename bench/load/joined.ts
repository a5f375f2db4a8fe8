import type { Encoded } from './dialect.ts'

/** Puts requests behind each other. */
export function joined(from: number, to: number, request: (number: number) => Buffer): Encoded {
  const starts = new Int32Array(to - from + 1)
  const parts: Buffer[] = []
  let end = 0
  for (let number = from; number < to; number++) {
    const part = request(number)
    starts[number - from] = end
    end += part.length
    parts.push(part)
  }
  starts[to - from] = end
  return { bytes: Buffer.concat(parts, end), starts }
}
