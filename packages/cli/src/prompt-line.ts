import { clearScreenDown, cursorTo, type Interface, moveCursor } from 'node:readline'

/** Takes the prompt and what was typed off the screen, however many rows they fill; the cursor stands where they began. */
export function erasePrompt(terminal: Interface, output: NodeJS.WriteStream): void {
  moveCursor(output, 0, -terminal.getCursorPos().rows)
  cursorTo(output, 0)
  clearScreenDown(output)
  // readline goes up as many rows as it remembers before it draws: it must know that the cursor has gone up already.
  ;(terminal as Interface & { prevRows?: number }).prevRows = 0
}

/** Takes what is typed back, as Ctrl-C does in a shell. */
export function clearTyped(terminal: Interface): void {
  terminal.write(null, { ctrl: true, name: 'e' })
  terminal.write(null, { ctrl: true, name: 'u' })
}
