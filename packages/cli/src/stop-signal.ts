/** Signals that come this close together are one request: Ctrl-C, `timeout` and service managers tell a process group and its leader. */
const SAME_REQUEST_MS = 300

/**
 * Fires at the first SIGINT or SIGTERM. A later one ends the process at once: whoever asks again means it.
 *
 * @param also - what makes it fire as well, and is no request that could be made again: a server stops when nobody reads what it prints
 *   (`SIGPIPE`, which `main` passes on where somebody listens)
 */
export function stopSignal(...also: readonly NodeJS.Signals[]): AbortSignal {
  const controller = new AbortController()
  let asked = 0
  const stop = (signal: NodeJS.Signals): void => {
    if (!controller.signal.aborted) {
      asked = performance.now()
      controller.abort(signal)
    } else if (performance.now() - asked > SAME_REQUEST_MS) process.exit(130)
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  for (const other of also) process.on(other, () => controller.abort(other))
  return controller.signal
}

/** Resolves when the signal fires. */
export function fired(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
