import type { Renewal, TillStatus } from '@tillwire/stock'
import { Option } from 'commander'
import { count } from './count.ts'
import { oneLine } from './failure.ts'

/** `--take-over`, the same in every command that opens a till. */
export function takeOverOption(): Option {
  return new Option('--take-over', 'go on from this outbox after another has taken the till over; what it holds is offered again')
}

/** `--new-server`, the same in every command that opens a till. */
export function newServerOption(): Option {
  return new Option(
    '--new-server',
    "where the server is another than before, it has taken that one's place: all that the outbox holds is posted there, and the way back is --new-server too",
  )
}

/** What to say when a new outbox takes a till over that the server knew from another one. */
export const TAKEN_OVER =
  'the server knew this till already: this outbox takes it over; where another one has posted under its name, what waits there is sent only with --take-over, and a file that was posted from there would count again from here'

const RENEWED: Readonly<Record<Renewal, string>> = {
  outbox_restored: 'this outbox was restored or copied',
  server_restored: 'the server was set back to an earlier state',
  server_replaced: 'another server has taken the place of the one before',
  taken_over: 'this outbox takes the till over',
  refused_again: 'what was refused is offered again',
}

/** What to say when a till offers again what the server had acknowledged before; undefined when it does not. */
export function renewedText({ renewed, again }: TillStatus): string | undefined {
  if (renewed === undefined) return undefined
  return `${RENEWED[renewed]}: ${count(again, 'transaction')} offered again; each counts once`
}

/** What to say when the server will not take what waits in this outbox. */
export function cannotBeSent({ reason, waiting }: TillStatus, folder: string): string {
  const there = `${oneLine(reason)}${waiting === 0 ? '' : `; ${count(waiting, 'transaction')} in ${folder}`}`
  if (reason?.code === 'epoch_fenced')
    return waiting === 0 ? `${there}; --take-over goes on from here` : `${there} can be sent only with --take-over, which goes on from here`
  if (reason?.code === 'other_log')
    return `${there}${waiting === 0 ? '' : ` ${waiting === 1 ? 'waits' : 'wait'} for the first one`}: another server needs an outbox of its own (--outbox); where it replaces one that is lost, say --new-server`
  return waiting === 0 ? there : `${there} cannot be sent any more: post them again from a new outbox`
}

/** What to say where the till has connected from elsewhere, and it is not yet known whether that was a takeover. */
export const REPLACED = 'the till has connected from elsewhere: where that is another outbox, they are sent only with --take-over'

/** What to say at the counter when the server will not take what is sold. */
export function fencedText({ reason }: TillStatus): string {
  const later =
    reason?.code === 'other_log'
      ? 'and sent when the right server is back; where this one replaces it for good: --new-server'
      : 'and can be sent from here only with --take-over'
  return `${oneLine(reason)}; sales are kept, ${later}`
}
