// biome-ignore lint/correctness/noUndeclaredDependencies: a package of this workspace
import { type Framing, lines, serve } from '@tillwire/net'
// biome-ignore lint/correctness/noUndeclaredDependencies: a package of this workspace
import { echo } from '@tillwire/services'
import { underControl } from './control.ts'

/** This toolkit's echo; the argument is the framing. */

const FRAMINGS: Readonly<Record<string, () => Framing<string>>> = { lines }

const framing = FRAMINGS[process.argv[2] ?? '']
if (framing === undefined) throw new Error(`the framing is one of ${Object.keys(FRAMINGS).join(', ')}`)
const server = await serve(echo(framing()), 'tcp://127.0.0.1:0')
underControl(Number(server.endpoints[0]?.split(':').at(-1)))
