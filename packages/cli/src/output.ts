/** Prints, and waits when the reader of our output is slower than we are. */
export function write(data: string | Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    if (process.stdout.write(data, () => resolve())) resolve()
  })
}
