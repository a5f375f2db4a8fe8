import { onReaderGone } from './reader-gone.ts'

/** Signals that come this close together are one request: Ctrl-C, `timeout` and service managers tell a process group and its leader. */
const SAME_REQUEST_MS = 300

/**
 * Fires at the first SIGINT or SIGTERM. A later one ends the process at once: whoever asks again means it.
 *
 * @param withReader - fires too when nobody reads what the process prints any more: a server has something to end then
 */
export function stopSignal(withReader = false): AbortSignal {
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
  if (withReader) onReaderGone(() => controller.abort('nobody reads the output'))
  return controller.signal
}

/** Resolves when the signal fires. */
export function fired(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
