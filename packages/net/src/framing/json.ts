import { type Decoder, FrameError, type Framing } from './framing.ts'
import type { Slab } from './slab.ts'

/** What carries JSON: texts, or bytes in UTF-8. */
type Carried = string | Buffer

/**
 * JSON values (RFC 8259), each as one message of another framing, of texts or of bytes. What is no JSON, or no UTF-8 where the other framing
 * carries bytes, is `frame_malformed`. Only the syntax is checked: `In` is what the caller expects, and a peer can send any other JSON.
 *
 * Values are written as `JSON.stringify` writes them. One that JSON cannot write (`undefined`, a function, a symbol, a bigint, a circle) throws
 * a TypeError when it is sent.
 */
export function json<In = unknown, Out = In>(over: Framing<string> | Framing<Buffer>): Framing<In, Out> {
  if (typeof over?.decoder !== 'function' || typeof over.encode !== 'function') throw new TypeError('json: over must be a framing')
  return new JsonFraming<In, Out>(over)
}

class JsonFraming<In, Out> implements Framing<In, Out> {
  readonly name: string
  readonly alone?: Framing<In, Out>
  readonly single?: true
  readonly #over: Framing<Carried>
  /** Whether the other framing takes texts or bytes: known from the first value that it took. */
  #takes: 'text' | 'bytes' | undefined

  constructor(over: Framing<Carried>) {
    this.name = `json over ${over.name}`
    this.#over = over
    if (over.single !== undefined) this.single = over.single
    if (over.alone !== undefined) this.alone = over.alone === over ? this : new JsonFraming<In, Out>(over.alone)
  }

  decoder(frameBytesMax: number): Decoder<In> {
    return new JsonDecoder<In>(this.#over.decoder(frameBytesMax))
  }

  encode(message: Out, slab: Slab): void {
    const text = JSON.stringify(message)
    if (text === undefined) throw new TypeError(`JSON cannot write ${typeof message}`)
    if (this.#takes === undefined) this.#encodeFirst(text, slab)
    else this.#over.encode(this.#takes === 'text' ? text : Buffer.from(text), slab)
  }

  /** A framing of bytes refuses a text: a slab does, whatever the framing. */
  #encodeFirst(text: string, slab: Slab): void {
    slab.begin()
    try {
      this.#over.encode(text, slab)
      this.#takes = 'text'
    } catch {
      slab.undo()
      this.#over.encode(Buffer.from(text), slab)
      this.#takes = 'bytes'
    }
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true })

class JsonDecoder<In> implements Decoder<In> {
  readonly paused?: (out: In[]) => void
  readonly #over: Decoder<Carried>
  readonly #carried: Carried[] = []

  constructor(over: Decoder<Carried>) {
    this.#over = over
    if (over.paused !== undefined) {
      this.paused = (out) => {
        try {
          over.paused?.(this.#carried)
        } finally {
          this.#parse(out)
        }
      }
    }
  }

  get buffered(): number {
    return this.#over.buffered
  }

  push(chunk: Buffer, out: In[]): void {
    try {
      this.#over.push(chunk, this.#carried)
    } finally {
      this.#parse(out) // a fault in here came before the other framing's, and is the one to be heard
    }
  }

  end(out: In[]): void {
    try {
      this.#over.end(this.#carried)
    } finally {
      this.#parse(out)
    }
  }

  #parse(out: In[]): void {
    try {
      for (const carried of this.#carried) out.push(JSON.parse(typeof carried === 'string' ? carried : textOf(carried)))
    } catch (error) {
      throw new FrameError('frame_malformed', 'a message is not JSON', error)
    } finally {
      this.#carried.length = 0
    }
  }
}

/** The fast way reads what is no UTF-8 as U+FFFD. Only where one stands must it be asked whether it was sent or made. */
function textOf(bytes: Buffer): string {
  const text = bytes.toString()
  if (text.includes('\ufffd')) UTF8.decode(bytes)
  return text
}
