import type { Carrier } from '@tillwire/net'
import { FRAMING_NAMES, type FramingName } from './framing-names.ts'

/** The name of a service. */
export type ServiceName = 'echo' | 'hello' | 'daytime' | 'timestamp' | 'sink' | 'command'

/** A row of {@link SERVICES}. */
export interface ServiceRow {
  /** In a sentence, for people. */
  readonly summary: string
  /** Its port. */
  readonly port: number
  /** Its port for UDP, where that is another. */
  readonly udpPort?: number
  /** Where it listens when it is told nothing: of `tcp` and `udp` the port, of the other two a socket of its name. */
  readonly defaults: readonly ('tcp' | 'udp' | 'unix' | 'unixgram')[]
  /** What can carry it. */
  readonly carriers: readonly Carrier[]
  /** The framings that it can be told to use, its own first; none where its messages are what they are. */
  readonly framings: readonly FramingName[]
}

const STREAMS: readonly Carrier[] = ['tcp', 'tls', 'unix']
const ANY: readonly Carrier[] = [...STREAMS, 'udp', 'unixgram']

const first = (name: FramingName): readonly FramingName[] => [name, ...FRAMING_NAMES.filter((other) => other !== name)]

/** Every service with its default endpoints, framings and carriers. */
export const SERVICES: Readonly<Record<ServiceName, ServiceRow>> = {
  echo: {
    summary: 'sends back what came',
    port: 8888,
    defaults: ['tcp', 'udp', 'unix', 'unixgram'],
    carriers: ANY,
    framings: first('bytes'),
  },
  hello: { summary: 'greets and ends', port: 9000, udpPort: 10_000, defaults: ['tcp', 'udp', 'unix'], carriers: ANY, framings: [] },
  daytime: { summary: 'says what time it is and ends', port: 9999, defaults: ['tcp', 'udp'], carriers: ANY, framings: [] },
  timestamp: {
    summary: 'sends back what came, behind the time',
    port: 21567,
    defaults: ['tcp', 'udp'],
    carriers: ANY,
    framings: first('lenient-lines:keep'),
  },
  sink: { summary: 'prints what came', port: 8887, defaults: ['tcp', 'udp'], carriers: ANY, framings: first('lenient-lines') },
  command: { summary: 'runs a command of a list', port: 29876, defaults: ['tcp', 'unix'], carriers: STREAMS, framings: [] },
}

/** Where a service listens unless told otherwise: loopback, and sockets in `folder`. */
export function defaultEndpoints(name: ServiceName, folder: string): string[] {
  const { port, udpPort = port, defaults } = SERVICES[name]
  return defaults.map((carrier) => {
    switch (carrier) {
      case 'tcp':
        return `tcp://127.0.0.1:${port}`
      case 'udp':
        return `udp://127.0.0.1:${udpPort}`
      default:
        return `${carrier}://${folder}/${name}${carrier === 'unixgram' ? '-datagram' : ''}`
    }
  })
}
