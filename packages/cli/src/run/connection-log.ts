import { subscribe } from 'node:diagnostics_channel'
import type { ConnectionEvent, RefusedEvent } from '@tillwire/net'
import type { Logger } from 'pino'

/** One line for each peer of this thread's servers, in the words that such servers have always used, and one for each that was refused. */
export function logConnections(log: Logger): void {
  subscribe('tillwire.net.connection.opened', (event) => {
    const { service, peer, carrier } = event as ConnectionEvent
    log.info({ service, peer }, `...${WORDS[carrier]} ${peer}`)
  })
  subscribe('tillwire.net.connection.refused', (event) => {
    const { service, peer, code } = event as RefusedEvent
    log.warn({ service, peer, code }, `...refused ${peer}: ${code}`)
  })
}

const WORDS: Readonly<Record<ConnectionEvent['carrier'], string>> = {
  tcp: 'connected from',
  tls: 'connected from',
  unix: 'connected on', // who is at the other end has no name
  udp: 'received from',
  unixgram: 'received from',
}
