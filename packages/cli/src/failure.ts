/** Exit codes, as `tillwire --help` shows them. */
export const EXIT = {
  ok: 0,
  /** It could not be done; the reason is on stderr. */
  failed: 1,
  /** The command line, or an input, is wrong. */
  usage: 2,
  /** Done, and some transactions were refused. */
  refused: 3,
  /** Ended by a signal before it was done. */
  interrupted: 130,
} as const

/** A failure with its exit code: its message is what the person sees, on one line. */
export class Failure extends Error {
  override readonly name = 'Failure'
  readonly exitCode: number

  constructor(message: string, exitCode: number = EXIT.failed) {
    super(message)
    this.exitCode = exitCode
  }
}

/** What to print for anything that was thrown, on one line. */
export function oneLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return printable(text.replaceAll(/\s*\n\s*/g, ' '))
}

/** Text from outside, made safe for a terminal: control characters could move the cursor or worse. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what it looks for
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, '\ufffd')
}

/** JSON that a terminal can show: the control characters that JSON lets through are written as escapes, which mean the same. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value).replaceAll(/[\u007f-\u009f]/g, (letter) => `\\u00${letter.charCodeAt(0).toString(16)}`)
}
