/** What a run of the load is told. */
export interface LoadSettings {
  readonly dialect: 'ndjson' | 'postgres' | 'redis'
  readonly port: number
  /** Connections, each a till of its own. */
  readonly clients: number
  /** The number of the first till: two loads at the same time have different ones. Default 0. */
  readonly firstTill?: number
  /** Requests that a connection sends ahead of their acknowledgement. */
  readonly outstanding: number
  /** Receipts in one request. */
  readonly perRequest: number
  /** Requests of each connection. */
  readonly requests: number
  /** Tells this run's tills from those of the runs before it, where a server has no epochs. */
  readonly turn: number
  /** Requests a second of all connections together, sent by the clock whatever is acknowledged; without it as fast as they are acknowledged. */
  readonly perSecond?: number
  /** Encode while sending: for what is too much to hold. */
  readonly onTheFly?: boolean
}

/** What a run of the load found. */
export interface LoadResult {
  readonly receipts: number
  readonly lines: number
  readonly seconds: number
  readonly cpuSeconds: number
  /** Milliseconds from handing a request to the socket (by the clock: from when it was due) to reading its acknowledgement. */
  readonly p50: number
  readonly p99: number
  readonly most: number
}
