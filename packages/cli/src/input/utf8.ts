import { EXIT, Failure } from '../failure.ts'

const LINE_FEED = 0x0a

/**
 * Passes on what is UTF-8, and nothing else: a name in another encoding would be posted as another item.
 * @throws (while iterating) Failure that names the line.
 */
export async function* utf8(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let line = 1
  for await (const chunk of chunks) {
    // A line at a time, so that the line of the fault is known; a chunk's last, unfinished letter is the decoder's to keep.
    for (let from = 0; from < chunk.length; ) {
      const feed = chunk.indexOf(LINE_FEED, from)
      const to = feed < 0 ? chunk.length : feed + 1
      check(decoder, chunk.subarray(from, to), line)
      if (feed >= 0) line++
      from = to
    }
    yield chunk
  }
  check(decoder, undefined, line)
}

function check(decoder: TextDecoder, part: Buffer | undefined, line: number): void {
  try {
    if (part === undefined) decoder.decode()
    else decoder.decode(part, { stream: true })
  } catch {
    throw new Failure(`line ${line}: the text is not UTF-8; save the file as UTF-8`, EXIT.usage)
  }
}
