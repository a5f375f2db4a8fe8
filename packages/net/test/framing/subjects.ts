import fc from 'fast-check'
import { bytes, type Framing, json, lengthPrefixed, lenientLines, lineBlocks, lines, netstrings, untilClose } from '../../src/index.ts'

/** A framing, and what the contract suite and the fuzz run must know of it. */
export interface Subject<In = unknown, Out = In> {
  readonly name: string
  readonly make: () => Framing<In, Out>
  /** Messages that read as they were written. */
  readonly message: fc.Arbitrary<Out>
  /** The bytes of the message that has these bytes as its content. */
  readonly wrap: (content: string) => Buffer
  /** Values that it must refuse to write. */
  readonly unwritable: readonly unknown[]
  /** The end of the stream makes a message of what has come. */
  readonly endCompletes?: true
  /** Messages are cut where chunks are: only all of them together say something. */
  readonly joined?: (messages: readonly In[]) => unknown
  /** What {@link joined} gives for messages that were written. */
  readonly written?: (messages: readonly Out[]) => unknown
}

const text = fc.string({ unit: 'grapheme', maxLength: 20 }).filter((line) => !line.includes('\n') && !line.endsWith('\r'))
const binary = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array))
const value = fc.jsonValue({ maxDepth: 3 }).map((any): unknown => JSON.parse(JSON.stringify(any)))

const feed = (content: string) => Buffer.from(`${content}\n`)
const prefixed = (size: 1 | 2 | 4, little: boolean) => (content: string) => {
  const prefix = Buffer.alloc(size)
  if (little) prefix.writeUIntLE(content.length, 0, size)
  else prefix.writeUIntBE(content.length, 0, size)
  return Buffer.concat([prefix, Buffer.from(content)])
}
const netstring = (content: string) => Buffer.from(`${content.length}:${content},`)

const NO_TEXT = [undefined, null, 7, Buffer.from('bytes'), ['a line']]
const NO_LINE = [...NO_TEXT, 'two\nlines', '\n']
const NO_BYTES = [undefined, null, 7, 'a text', [1, 2], new ArrayBuffer(2), { length: 2 }]
const circle: unknown[] = []
circle.push(circle)
const NO_JSON = [
  undefined,
  () => 1,
  Symbol('x'),
  1n,
  circle,
  { toJSON: () => undefined },
  {
    toJSON: () => {
      throw new TypeError('not now')
    },
  },
]

const ofLines = { message: text, wrap: feed, unwritable: NO_LINE }
const ofBytes = { message: binary, unwritable: NO_BYTES }
const ofJson = { message: value, unwritable: NO_JSON }
const allBytes = (messages: readonly Uint8Array[]) => Buffer.concat(messages)

const prefixes = ([1, 2, 4] as const).flatMap((size) =>
  (['big', 'little'] as const).map((endian) => ({
    name: `lengthPrefixed of ${size}, ${endian}`,
    make: () => lengthPrefixed({ bytes: size, endian }),
    wrap: prefixed(size, endian === 'little'),
    ...ofBytes,
  })),
)

const BYTES: Subject<Buffer, Uint8Array> = {
  name: 'bytes',
  make: bytes,
  wrap: Buffer.from,
  endCompletes: true,
  joined: allBytes,
  written: allBytes,
  ...ofBytes,
}
const LINE_BLOCKS: Subject<Buffer, string> = {
  name: 'lineBlocks',
  make: lineBlocks,
  joined: allBytes,
  written: (messages) => Buffer.from(messages.map((message) => `${message}\n`).join('')),
  ...ofLines,
}
const LENIENT: Subject<string> = { name: 'lenientLines', make: () => lenientLines(), endCompletes: true, ...ofLines }
const KEEPING: Subject<string> = {
  name: 'lenientLines that keep',
  make: () => lenientLines({ ends: 'keep' }),
  message: fc.tuple(text, fc.constantFrom('\n', '\r\n')).map((parts) => parts.join('')),
  wrap: feed,
  unwritable: NO_TEXT,
  endCompletes: true,
}
const UNTIL_CLOSE: Subject<Buffer, Uint8Array> = { name: 'untilClose', make: untilClose, wrap: Buffer.from, endCompletes: true, ...ofBytes }

/** Every framing there is, by its ways of being set up. */
export const SUBJECTS: readonly Subject[] = [
  BYTES,
  { name: 'lines', make: lines, ...ofLines },
  LINE_BLOCKS,
  LENIENT,
  KEEPING,
  ...prefixes,
  { name: 'netstrings', make: netstrings, wrap: netstring, ...ofBytes },
  UNTIL_CLOSE,
  { name: 'json over lines', make: () => json(lines()), wrap: feed, ...ofJson },
  { name: 'json over lenientLines', make: () => json(lenientLines()), wrap: feed, endCompletes: true, ...ofJson },
  { name: 'json over lengthPrefixed', make: () => json(lengthPrefixed()), wrap: prefixed(4, false), ...ofJson },
  { name: 'json over netstrings', make: () => json(netstrings()), wrap: netstring, ...ofJson },
  { name: 'json over untilClose', make: () => json(untilClose()), wrap: Buffer.from, endCompletes: true, ...ofJson },
] as readonly Subject[]
