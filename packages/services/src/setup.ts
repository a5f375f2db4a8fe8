import type { Framing, Service } from '@tillwire/net'
import { type CommandEntries, command } from './command/index.ts'
import { daytime } from './daytime.ts'
import { echo } from './echo.ts'
import { framingNamed } from './framing-names.ts'
import { hello } from './hello.ts'
import { sink } from './sink.ts'
import { SERVICES, type ServiceName } from './table.ts'
import { timestamp } from './timestamp.ts'

/** A service in plain data: what a command line or a configuration file says, and what can be sent to a thread or a process. */
export interface ServiceSetup {
  /** Which one. */
  readonly service: ServiceName
  /** The name of a framing, see `FRAMING_NAMES`; default the service's own. */
  readonly framing?: string | undefined
  /** For `command`: its list, see `CommandEntries`. */
  readonly commands?: unknown
  /** For `command`: give lines to the shell. */
  readonly shell?: boolean | undefined
  /** For `sink`: which output of the process it prints to. Default `stdout`. */
  readonly output?: 'stdout' | 'stderr' | undefined
}

/**
 * The service that a setup describes.
 * @throws TypeError or RangeError that says which part of it is wrong
 */
export function serviceFrom(setup: ServiceSetup): Service<never, unknown> {
  return build(setup) as Service<never, unknown>
}

/** The module for `serve(serviceModule, endpoints, { threads, data })`, where `data` is a {@link ServiceSetup}. */
export const serviceModule: URL = new URL(import.meta.url)

export default serviceFrom

function build(setup: ServiceSetup): unknown {
  const { service, shell, commands, output = 'stdout' } = setup
  if (service !== 'command' && (shell === true || commands !== undefined)) throw new TypeError(`${service} runs no commands`)
  const framing = framingOf(setup)
  switch (service) {
    case 'echo':
      return framing === undefined ? echo() : echo(framing)
    case 'hello':
      return hello()
    case 'daytime':
      return daytime()
    case 'timestamp':
      return timestamp(framing === undefined ? {} : { framing })
    case 'sink':
      return sink({ print: printerOn(process[output]), ...(framing === undefined ? {} : { framing }) })
    case 'command':
      // What is in the list is checked by the one who reads it.
      return command({ ...(shell === true ? { shell } : {}), ...(commands === undefined ? {} : { commands: commands as CommandEntries }) })
  }
}

function framingOf({ service, framing }: ServiceSetup): Framing<string | Buffer> | undefined {
  if (!Object.hasOwn(SERVICES, service)) throw new RangeError(`unknown service "${service}"; known: ${Object.keys(SERVICES).join(', ')}`)
  if (framing === undefined) return undefined
  const { framings } = SERVICES[service]
  const found = framingNamed(framing)
  if (framings.length === 0) throw new RangeError(`${service} has no framing to choose`)
  return found as Framing<string | Buffer>
}

/** Says when a line has left, so that whoever sent it can be held back until then. */
function printerOn(stream: NodeJS.WriteStream): (line: string) => Promise<void> {
  // Who sent the line hears of a failure; without a listener it would end the process too.
  if (stream.listenerCount('error') === 0) stream.on('error', () => {})
  return (line) => new Promise((resolve, reject) => stream.write(`${line}\n`, (error) => (error ? reject(error) : resolve())))
}
