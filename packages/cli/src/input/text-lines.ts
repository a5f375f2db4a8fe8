import { EXIT, Failure } from '../failure.ts'

/** No transaction is as long, in characters; what is longer is no text of lines, and is not gathered. */
const LINE_MAX = 4 * 1024 * 1024

/** The lines of a UTF-8 text, without their ends, with their numbers from 1. A last line needs no line feed. */
export async function* textLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<{ text: string; number: number }, void, undefined> {
  const decoder = new TextDecoder('utf-8') // takes a byte order mark away, and letters that two chunks share together
  let rest = ''
  let number = 0
  for await (const chunk of chunks) {
    if (rest.length > LINE_MAX) throw new Failure(`line ${number + 1}: it has more than ${LINE_MAX} characters`, EXIT.usage)
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) yield { text: line.endsWith('\r') ? line.slice(0, -1) : line, number: ++number }
  }
  rest += decoder.decode()
  if (rest !== '') yield { text: rest.endsWith('\r') ? rest.slice(0, -1) : rest, number: ++number }
}
