import { type Decoder, FrameError, type Framing } from './framing.ts'

const LF = 0x0a
const CR = 0x0d

/**
 * A line in a datagram of its own: its text, without the line end that it may have come with. One that ends in a line feed by itself
 * is written with another, which reading takes off again.
 */
export function lineAlone(name: string): Framing<string> {
  return textAlone(name, lineEnd, (message, slab) => {
    slab.text(message)
    if (message.endsWith('\n')) slab.byte(LF)
  })
}

/** A text in a datagram of its own, line ends and all. */
export function exactTextAlone(name: string): Framing<string> {
  return textAlone(
    name,
    (datagram) => datagram.length,
    (message, slab) => slab.text(message),
  )
}

function textAlone(name: string, end: (datagram: Buffer) => number, encode: Framing<string>['encode']): Framing<string> {
  const framing: Framing<string> = {
    name,
    decoder: (frameBytesMax) => textDecoder(frameBytesMax, end),
    encode,
    get alone() {
      return framing
    },
  }
  return framing
}

function textDecoder(frameBytesMax: number, endOf: (datagram: Buffer) => number): Decoder<string> {
  return {
    buffered: 0,
    push: (datagram, out) => {
      const end = endOf(datagram)
      if (end > frameBytesMax) throw new FrameError('frame_too_large', `a text is longer than ${frameBytesMax} bytes`)
      out.push(datagram.toString('utf8', 0, end))
    },
    end: () => {},
  }
}

/** Where the text of a line ends: before one LF or CR LF. */
function lineEnd(line: Buffer): number {
  if (line.at(-1) !== LF) return line.length
  return line.at(-2) === CR ? line.length - 2 : line.length - 1
}
