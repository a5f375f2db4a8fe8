/**
 * Nobody reads what this process prints any more (`tillwire run echo | head -1`). It is no signal on purpose: whoever listens for SIGPIPE in
 * Node.js gets one for every write to a peer that has gone, too.
 */
let heard: (() => void) | undefined

/** Has `run` called when it happens, in place of ending the process. */
export function onReaderGone(run: () => void): void {
  heard = run
}

/** It has happened. False when nobody has something to end first. */
export function tellReaderGone(): boolean {
  heard?.()
  return heard !== undefined
}
