/**
 * A misspelt option must not pass for one that was left out.
 * @throws TypeError that names it.
 */
export function checkOptions(of: string, options: object, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null) throw new TypeError(`${of}: options are an object, not ${String(options)}`)
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) throw new TypeError(`${of}: unknown option ${name}; known: ${known.join(', ')}`)
  }
}
