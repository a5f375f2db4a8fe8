/** Control characters, separators that some terminals take for line ends, and those that turn the direction of writing around. */
const UNSAFE = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu

const SHORT: Readonly<Record<string, string>> = { '\t': '\\t', '\n': '\\n', '\r': '\\r' }

/** Text from outside on one line that no terminal takes for a command: `\x1b` stands for an escape. */
export function visible(text: string): string {
  return text.replaceAll(UNSAFE, (letter) => SHORT[letter] ?? escaped(letter.codePointAt(0) as number))
}

function escaped(code: number): string {
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`
}
