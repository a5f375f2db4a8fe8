import type { Clock, Timer } from '../clock.ts'
import { NetError } from '../errors.ts'
import { type Limits, TIMER_MS_MAX } from '../limits.ts'
import type { SendOptions } from './client.ts'

/** The time that a caller gives, or the limit's. @throws RangeError */
export function timeoutOf({ timeoutMs }: SendOptions, { requestMs }: Limits): number {
  const ms = timeoutMs ?? requestMs
  if (!Number.isSafeInteger(ms) || ms < 0 || ms > TIMER_MS_MAX) {
    throw new RangeError(`timeoutMs must be a whole number from 0 to ${TIMER_MS_MAX}, not ${ms}`)
  }
  return ms
}

/** The caller's wish to stop, if it is there. */
export function stopped(signal: AbortSignal | undefined): NetError | undefined {
  return signal?.aborted ? new NetError('aborted', 'the caller gave up', signal.reason) : undefined
}

/**
 * Waits for whichever is first, the end of the time (0: there is none) or the caller's signal, until the returned function is called.
 * @param late - what the end of the time means
 */
export function patience(
  clock: Clock,
  timeoutMs: number,
  signal: AbortSignal | undefined,
  late: () => NetError,
  gone: (error: NetError) => void,
): () => void {
  const stop = (): void => {
    timer?.close()
    signal?.removeEventListener('abort', aborted)
  }
  const end = (error: NetError): void => {
    stop()
    gone(error)
  }
  const aborted = (): void => end(new NetError('aborted', 'the caller gave up', signal?.reason))
  const timer: Timer | undefined = timeoutMs === 0 ? undefined : clock.after(timeoutMs, () => end(late()))
  signal?.addEventListener('abort', aborted)
  return stop
}

/** No answer came in time. */
export function unanswered(timeoutMs: number): () => NetError {
  return () => new NetError('request_timeout', `no answer within ${timeoutMs} ms`)
}
