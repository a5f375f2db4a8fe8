/**
 * Prints, and waits until it is taken: as fast as the reader of our output, and with a turn of the event loop for each piece, without which
 * what was printed would be held for ever.
 */
export function write(data: string | Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    process.stdout.write(data, () => resolve())
  })
}
