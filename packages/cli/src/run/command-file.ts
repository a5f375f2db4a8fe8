import { readFileSync } from 'node:fs'
import { parse, TomlError } from 'smol-toml'
import { EXIT, Failure, oneLine } from '../failure.ts'

/**
 * The list of commands of a configuration file: the table `commands`. What stands in it is checked by the service.
 * @throws Failure that names the file, and the place in it
 */
export function readCommandFile(file: string): unknown {
  const content = parsed(file, text(file))
  if (typeof content !== 'object' || content === null || Array.isArray(content)) throw wrong(file, 'it must be a table')
  const strange = Object.keys(content).find((key) => key !== 'commands')
  if (strange !== undefined) throw wrong(file, `${strange}: is not known; known: commands`)
  if (!('commands' in content)) throw wrong(file, 'it has no table "commands"')
  return content.commands
}

function text(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    throw wrong(file, missing ? 'there is no such file' : oneLine(error))
  }
}

function parsed(file: string, content: string): unknown {
  try {
    return /\.json$/i.test(file) ? JSON.parse(content) : parse(content)
  } catch (error) {
    if (!(error instanceof TomlError)) throw wrong(file, oneLine(error))
    const [first = ''] = error.message.split('\n')
    throw wrong(file, `line ${error.line}, column ${error.column}: ${first.replace(/^Invalid TOML document: /, '')}`)
  }
}

function wrong(file: string, why: string): Failure {
  return new Failure(`${file}: ${why}`, EXIT.usage)
}
