/** What no terminal should be sent by a stranger: every control character but tab and line feed. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what it looks for
const UNSAFE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g

/** Makes what comes fit to be shown: letters that two pieces share are put together, CR LF is a line feed, control characters do nothing. */
export function forTerminal(): (piece: string | Buffer) => string {
  const decoder = new TextDecoder()
  let held = ''
  return (piece) => {
    const text = held + (typeof piece === 'string' ? piece : decoder.decode(piece, { stream: true }))
    held = text.endsWith('\r') ? '\r' : '' // perhaps half a line end
    return text
      .slice(0, text.length - held.length)
      .replaceAll('\r\n', '\n')
      .replaceAll(UNSAFE, '\ufffd')
  }
}
