/** What the watchers are told. */
export interface WatchSettings {
  readonly port: number
  readonly watchers: number
}

/** What the watchers saw. */
export interface WatchResult {
  readonly events: number
  /** Milliseconds from the acknowledgement of each of the probe's sales to its event, at each watcher. */
  readonly delays: readonly number[]
}
