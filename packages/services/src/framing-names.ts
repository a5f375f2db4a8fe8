import { bytes, type Framing, lengthPrefixed, lenientLines, lines, netstrings, untilClose } from '@tillwire/net'

/** The name of a framing. Behind the colon stands its option: `length-prefixed:2le` has a length of two bytes, little-endian. */
export type FramingName =
  | 'bytes'
  | 'lines'
  | 'lenient-lines'
  | 'lenient-lines:keep'
  | 'length-prefixed'
  | 'length-prefixed:1'
  | 'length-prefixed:2'
  | 'length-prefixed:2le'
  | 'length-prefixed:4le'
  | 'netstrings'
  | 'until-close'

/** A framing whose messages are texts, or bytes, in both directions. */
type PlainFraming = Framing<string> | Framing<Buffer, Uint8Array>

const FRAMINGS: Readonly<Record<FramingName, () => PlainFraming>> = {
  bytes,
  lines,
  'lenient-lines': () => lenientLines(),
  'lenient-lines:keep': () => lenientLines({ ends: 'keep' }),
  'length-prefixed': () => lengthPrefixed(),
  'length-prefixed:1': () => lengthPrefixed({ bytes: 1 }),
  'length-prefixed:2': () => lengthPrefixed({ bytes: 2 }),
  'length-prefixed:2le': () => lengthPrefixed({ bytes: 2, endian: 'little' }),
  'length-prefixed:4le': () => lengthPrefixed({ bytes: 4, endian: 'little' }),
  netstrings,
  'until-close': untilClose,
}

/** Every {@link FramingName}. */
export const FRAMING_NAMES: readonly FramingName[] = Object.keys(FRAMINGS) as FramingName[]

/**
 * A framing by its name, for command lines and for data that goes to another thread.
 * @throws RangeError for a name that it does not know
 */
export function framingNamed(name: string): PlainFraming {
  if (!Object.hasOwn(FRAMINGS, name)) throw new RangeError(`unknown framing "${name}"; known: ${FRAMING_NAMES.join(', ')}`)
  return FRAMINGS[name as FramingName]()
}
