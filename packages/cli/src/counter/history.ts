import { readFileSync, writeFileSync } from 'node:fs'

/** What was typed in earlier sessions, newest first, as readline keeps it. None where there is no file. */
export function readHistory(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').filter(Boolean)
  } catch {
    return []
  }
}

/** Keeps it. A history that cannot be written is no reason to stop selling. */
export function writeHistory(file: string, history: readonly string[]): void {
  try {
    writeFileSync(file, `${history.join('\n')}\n`, { mode: 0o600 })
  } catch {
    // the arrow keys will know less next time
  }
}
