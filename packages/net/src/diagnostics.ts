import { channel } from 'node:diagnostics_channel'
import type { NetError, NetErrorCode } from './errors.ts'
import type { Carrier } from './transport/index.ts'

/** What every event says of where it happened. */
interface Where {
  /** The service's name. */
  readonly service: string
}

/** What is published on `tillwire.net.connection.opened` and `.closed`. */
export interface ConnectionEvent extends Where {
  /** As `connection.peer` has it. */
  readonly peer: string
  /** What carries it: `tcp`, `tls`, `unix`, `udp` or `unixgram`. */
  readonly carrier: Carrier
  /** Why it ended; undefined when both sides ended politely. */
  readonly reason?: NetError | undefined
}

/** What is published on `tillwire.net.connection.refused`, for datagrams that were dropped too. */
export interface RefusedEvent extends Where {
  /** As `connection.peer` has it. */
  readonly peer: string
  /** Why it was refused. */
  readonly code: NetErrorCode
}

/** What is published on `tillwire.net.server.listening` and `tillwire.net.server.closed`. */
export interface ServerEvent extends Where {
  /** As `server.endpoints` has them. */
  readonly endpoints: readonly string[]
}

const opened = channel('tillwire.net.connection.opened')
const closed = channel('tillwire.net.connection.closed')
const refused = channel('tillwire.net.connection.refused')
const listening = channel('tillwire.net.server.listening')
const stopped = channel('tillwire.net.server.closed')

/** The package's events for `node:diagnostics_channel`. While nobody subscribes they cost a look at a flag. */
export const diagnostics = {
  opened(service: string, { peer, carrier }: { readonly peer: string; readonly carrier: Carrier }): void {
    if (opened.hasSubscribers) opened.publish({ service, peer, carrier } satisfies ConnectionEvent)
  },
  closed(service: string, { peer, carrier }: { readonly peer: string; readonly carrier: Carrier }, reason: NetError | undefined): void {
    if (closed.hasSubscribers) closed.publish({ service, peer, carrier, reason } satisfies ConnectionEvent)
  },
  refused(service: string, peer: string, code: NetErrorCode): void {
    if (refused.hasSubscribers) refused.publish({ service, peer, code } satisfies RefusedEvent)
  },
  listening(service: string, endpoints: readonly string[]): void {
    if (listening.hasSubscribers) listening.publish({ service, endpoints } satisfies ServerEvent)
  },
  stopped(service: string, endpoints: readonly string[]): void {
    if (stopped.hasSubscribers) stopped.publish({ service, endpoints } satisfies ServerEvent)
  },
}
