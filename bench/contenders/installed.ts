import { accessSync, constants, globSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Where a program is: on the PATH, or else the last of the folders that Debian has several versions in. */
export function installed(name: string, elsewhere?: string): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter)
  if (elsewhere !== undefined) folders.push(...globSync(elsewhere).sort().reverse())
  return folders.map((folder) => join(folder, name)).find(isProgram)
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
