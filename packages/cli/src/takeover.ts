import { count } from './count.ts'
import { oneLine } from './failure.ts'

/** What to say when a new outbox takes a till over that the server knew from another one. */
export const TAKEN_OVER =
  'the server knew this till from another outbox: this new one takes it over, and what waits in the other can be sent no more'

/** What to say when the server will never take what waits in this outbox. */
export function cannotBeSent(reason: unknown, waiting: number, folder: string): string {
  const rest =
    waiting === 0 ? '' : `; ${count(waiting, 'transaction')} in ${folder} cannot be sent any more: post them again from a new outbox`
  return `${oneLine(reason)}${rest}`
}
