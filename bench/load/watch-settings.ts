/** What the watchers are told. */
export interface WatchSettings {
  readonly port: number
  readonly watchers: number
}

/** What the watchers saw. */
export interface WatchResult {
  readonly events: number
  /** Events of the probe, each at one watcher. */
  readonly probed: number
  /** Milliseconds from the acknowledgement of a probe's sale to its event. */
  readonly p50: number
  readonly p99: number
  readonly most: number
}
