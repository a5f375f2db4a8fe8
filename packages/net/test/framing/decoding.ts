import assert from 'node:assert/strict'
import { FrameError, type Framing, Slab } from '../../src/index.ts'

export interface Outcome<In> {
  readonly messages: In[]
  readonly fault: FrameError['code'] | undefined
}

/** Feeds the chunks and ends; checks on the way that no more is held than allowed. */
export function decode<In>(framing: Framing<In, never>, chunks: readonly Buffer[], most: number): Outcome<In> {
  const decoder = framing.decoder(most)
  const messages: In[] = []
  try {
    for (const chunk of chunks) {
      decoder.push(chunk, messages)
      assert.ok(decoder.buffered <= most, `${decoder.buffered} bytes held, ${most} allowed`)
    }
    decoder.end(messages)
    return { messages, fault: undefined }
  } catch (error) {
    assert.ok(decoder.buffered <= most, `${decoder.buffered} bytes held, ${most} allowed`)
    if (!(error instanceof FrameError)) throw error
    return { messages, fault: error.code }
  }
}

/** The bytes of messages, one behind the other. */
export function encode<Out>(framing: Framing<unknown, Out>, messages: readonly Out[]): Buffer {
  const slab = new Slab(16)
  for (const message of messages) framing.encode(message, slab)
  return Buffer.from(slab.view())
}

/** Cuts at the given places; every piece is a copy, as the platform would hand it out. */
export function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b)
  return [0, ...at].map((from, i) => Buffer.from(bytes.subarray(from, at[i] ?? bytes.length)))
}

/** A byte a chunk. */
export function singleBytes(bytes: Buffer): Buffer[] {
  return [...bytes].map((byte) => Buffer.of(byte))
}

/** Bytes as people write them: `hex('00 03', 'abc')`. */
export function hex(...parts: readonly string[]): Buffer {
  return Buffer.from(parts.join('').replaceAll(' ', ''), 'hex')
}
