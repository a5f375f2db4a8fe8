import type { LogCopy } from '@tillwire/stock'

/** What to say of a copy of a log. */
export function copySaid({ position, recorded, bytes, hash }: LogCopy): string {
  const when = recorded === 0 ? '' : `, ${new Date(recorded).toISOString()}`
  return `position ${position}${when}, ${bytes} bytes, SHA-256 ${hash}`
}
