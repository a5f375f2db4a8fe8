import { bytes, lines, type Service, serve } from '@tillwire/net'
import { echo } from '@tillwire/services'
import { underControl } from './control.ts'

/** This toolkit's echo; the argument is the framing. */

const ECHOES: Readonly<Record<string, () => Service<never, never>>> = {
  bytes: () => echo(bytes()) as Service<never, never>,
  lines: () => echo(lines()) as Service<never, never>,
}

const made = ECHOES[process.argv[2] ?? '']
if (made === undefined) throw new Error(`the framing is one of ${Object.keys(ECHOES).join(', ')}`)
const server = await serve(made(), 'tcp://127.0.0.1:0')
underControl(Number(server.endpoints[0]?.split(':').at(-1)))
