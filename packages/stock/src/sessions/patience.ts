import type { Clock } from '../clock.ts'
import { StockError } from '../errors.ts'
import type { StockLimits } from '../limits.ts'

/**
 * Asks the archive, and asks again while it fails or has nothing to say yet (undefined), for `lookupMs` in all. What it is asked decides
 * what a transaction means: it is never guessed.
 *
 * @throws (rejects) StockError `archive_unavailable` with the last trouble as its cause.
 */
export async function patiently<T extends object>(
  { clock, limits }: { readonly clock: Clock; readonly limits: StockLimits },
  ask: () => Promise<T | undefined>,
): Promise<T> {
  let trouble: unknown
  let isLate = false
  const late = Promise.withResolvers<never>()
  const cancel = clock.after(limits.lookupMs, () => {
    isLate = true
    const message = 'the server cannot look into the past just now; connect again later'
    late.reject(new StockError('archive_unavailable', message, trouble === undefined ? {} : { cause: trouble }))
  })
  try {
    for (;;) {
      try {
        const answer = await Promise.race([ask(), late.promise])
        if (answer !== undefined) return answer
      } catch (error) {
        if (isLate) throw error
        trouble = error
      }
      await Promise.race([pause(clock, limits.lookupRetryMs), late.promise])
    }
  } finally {
    cancel()
  }
}

function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.after(ms, resolve))
}
