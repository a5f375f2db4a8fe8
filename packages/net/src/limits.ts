import { readFileSync } from 'node:fs'

/**
 * The one table of bounds of the package: every queue, buffer, wait and list. Bytes and milliseconds are in the
 * names. A time of 0 switches that one time-out off; a count or size has no "off". No time is over
 * 2,147,483,647 ms, the longest that the platform's timers can wait.
 */
export interface Limits {
  /**
   * Connections of one server. Also held 64 below the process's descriptor limit, where that is known (Linux). Of several threads or
   * processes each may hold its share, rounded up. Default 10,000.
   */
  readonly connectionsMax: number
  /**
   * Connections from one address. The default is as many as there may be; a server that strangers reach sets it lower. Divided over
   * threads or processes as {@link Limits.connectionsMax} is. Default 10,000.
   */
  readonly connectionsPerAddressMax: number
  /** Connections that the kernel holds until they are accepted. Default 511. */
  readonly backlog: number
  /** One message, checked before anything of it is buffered. Default 1 MiB. */
  readonly frameBytesMax: number
  /** One datagram, received or sent; 65,507 bytes are the most that UDP over IPv4 carries. Default 65,507 bytes. */
  readonly datagramBytesMax: number
  /**
   * Room that the kernel is asked for, for datagrams that wait to be read; it may give less. What does not fit is lost without a sign.
   * Default 1 MiB.
   */
  readonly datagramReceiveBytes: number
  /**
   * Bytes a second that one source of datagrams is answered, beyond {@link Limits.datagramReplyFactor} times what it sent. Default 64 KiB.
   */
  readonly datagramReplyBytes: number
  /**
   * Reply bytes per byte received that need no budget, so that a forged source makes no amplifier of us (RFC 9000, 8.1 takes 3). Default 3.
   */
  readonly datagramReplyFactor: number
  /** Sources of datagrams whose budget is remembered; over it the one seen longest ago is forgotten. Default 10,000. */
  readonly datagramSourcesMax: number
  /**
   * Messages a second of one connection; over it reading from that peer waits. The default is more than an event loop can do.
   * Default 100,000,000.
   */
  readonly messagesPerSecondMax: number
  /** Unsent bytes at which `send()` answers false and reading from that peer pauses. Default 256 KiB. */
  readonly sendHighWaterBytes: number
  /** Unsent bytes at which a peer is closed as `slow_peer`. Default 16 MiB. */
  readonly sendQueueBytesMax: number
  /**
   * Unsent bytes of all connections of a server together, of those that have {@link Limits.sendHighWaterBytes} or more: over it the peer with
   * the most is closed as `slow_peer`. Divided over threads or processes. Default 1,024 MiB.
   */
  readonly queueBytesMax: number
  /** Small messages are gathered up to this size before they are written inside a turn. Default 64 KiB. */
  readonly coalesceBytes: number
  /** Received messages that wait for a `for await` loop before reading pauses. Default 1,024. */
  readonly inboxMessagesMax: number
  /** Requests of one client that are in flight. Default 10,000. */
  readonly requestsMax: number
  /** Messages and requests of one client that wait for the line to be up again. Default 1,024. */
  readonly queuedMessagesMax: number
  /** Datagram requests that have a socket of their own at the same time; others wait, up to {@link Limits.requestsMax}. Default 64. */
  readonly datagramRequestsMax: number
  /** A dial must succeed within this time. Default 10 s. */
  readonly connectMs: number
  /**
   * The first message must be complete within this time of connecting. Before it, a PROXY header and a TLS handshake have as long each.
   * Default 60 s.
   */
  readonly handshakeMs: number
  /** A message that was begun must be complete within this time: a byte a second is no message. Default 30 s. */
  readonly frameMs: number
  /** For framings that take a pause of the peer for the end of a message: this long. Default 20 ms. */
  readonly pauseMs: number
  /** A connection on which nothing comes, nothing leaves and nothing is owed ends after this time, or up to an eighth of it later. Default 600 s. */
  readonly idleMs: number
  /** Unsent bytes must move within this time. Default 30 s. */
  readonly sendStallMs: number
  /** A request must be answered within this time. Default 30 s. */
  readonly requestMs: number
  /** After our end (or a refusal) the peer has this long to read it and end too. Default 2 s. */
  readonly lingerMs: number
  /** How long `close()` waits for work in flight when it is told nothing else. Default 10 s. */
  readonly closeWithinMs: number
  /**
   * Silence after which the kernel asks a TCP peer whether it is still there; some ten seconds later one that is gone is. While bytes are on their way
   * to it, the kernel repeats those instead, and gives up in its own time, about a quarter of an hour on Linux (`tcp_retries2`). Default 30 s.
   */
  readonly keepAliveMs: number
  /** Threads or processes of one server. Default 64. */
  readonly workersMax: number
  /** A thread or process must listen within this time of being started. Default 30 s. */
  readonly workerStartMs: number
  /** A thread or process that has not stopped this long after the deadline of stopping is ended by force. Default 1 s. */
  readonly workerGraceMs: number
}

/** The longest time that the platform's timers can wait, about 24.8 days; a longer one would fire at once. */
export const TIMER_MS_MAX = 2_147_483_647

/** The defaults of {@link Limits}. */
export const DEFAULT_LIMITS: Limits = {
  connectionsMax: 10_000,
  connectionsPerAddressMax: 10_000,
  backlog: 511,
  frameBytesMax: 1024 * 1024,
  datagramBytesMax: 65_507,
  datagramReceiveBytes: 1024 * 1024,
  datagramReplyBytes: 64 * 1024,
  datagramReplyFactor: 3,
  datagramSourcesMax: 10_000,
  messagesPerSecondMax: 100_000_000,
  sendHighWaterBytes: 256 * 1024,
  sendQueueBytesMax: 16 * 1024 * 1024,
  queueBytesMax: 1024 * 1024 * 1024,
  coalesceBytes: 64 * 1024,
  inboxMessagesMax: 1024,
  requestsMax: 10_000,
  queuedMessagesMax: 1024,
  datagramRequestsMax: 64,
  connectMs: 10_000,
  handshakeMs: 60_000,
  frameMs: 30_000,
  pauseMs: 20,
  idleMs: 600_000,
  sendStallMs: 30_000,
  requestMs: 30_000,
  lingerMs: 2_000,
  closeWithinMs: 10_000,
  keepAliveMs: 30_000,
  workersMax: 64,
  workerStartMs: 30_000,
  workerGraceMs: 1_000,
}

/**
 * The defaults with the caller's own values over them.
 * @throws RangeError naming the limit, when a value is not a whole number that the limit allows.
 */
export function limitsFrom(own: Partial<Limits> = {}): Limits {
  for (const [name, value] of Object.entries(own)) {
    if (!Object.hasOwn(DEFAULT_LIMITS, name))
      throw new RangeError(`unknown limit ${name}; known: ${Object.keys(DEFAULT_LIMITS).join(', ')}`)
    const [least, most] = name.endsWith('Ms') ? [0, TIMER_MS_MAX] : [1, Number.MAX_SAFE_INTEGER]
    if (!Number.isSafeInteger(value) || value < least || value > most) {
      throw new RangeError(`limit ${name} must be a whole number from ${least} to ${most}, not ${String(value)}`)
    }
  }
  return { ...DEFAULT_LIMITS, ...own }
}

const DESCRIPTORS_RESERVED = 64

/**
 * How many connections a server may really hold. Node closes what it accepts at EMFILE without a word, so the cap stays
 * below the process's descriptor limit (read from /proc where there is one), by 64 for each event loop that shares it.
 */
export function connectionsCap(limits: Limits, descriptors: number | undefined = descriptorLimit(), loops = 1): number {
  if (descriptors === undefined) return limits.connectionsMax
  return Math.max(1, Math.min(limits.connectionsMax, descriptors - DESCRIPTORS_RESERVED * loops))
}

/**
 * What each of several workers may hold, rounded up, so that together they hold what the user meant. Threads share the descriptors
 * of their process as well; a process looks at its own.
 */
export function limitsOfWorker(limits: Limits, workers: number, sharedDescriptors: number | undefined): Limits {
  const share = (total: number): number => Math.ceil(total / workers)
  return {
    ...limits,
    connectionsMax: share(connectionsCap(limits, sharedDescriptors, workers)),
    connectionsPerAddressMax: share(limits.connectionsPerAddressMax),
    queueBytesMax: share(limits.queueBytesMax),
  }
}

/** Descriptors that this process may have open; undefined where nothing says it. */
export function descriptorLimit(): number | undefined {
  let table: string
  try {
    table = readFileSync('/proc/self/limits', 'utf8')
  } catch {
    return undefined // not Linux: the caller's own limit stands
  }
  const soft = /^Max open files\s+(\d+)/m.exec(table)?.[1]
  return soft === undefined ? undefined : Number(soft)
}
