import type { Renewal, TillStatus } from '@tillwire/stock'
import { Option } from 'commander'
import { count } from './count.ts'
import { oneLine } from './failure.ts'

/** `--take-over`, the same in every command that opens a till. */
export function takeOverOption(): Option {
  return new Option('--take-over', 'go on from this outbox after another has taken the till over; what it holds is offered again')
}

/** What to say when a new outbox takes a till over that the server knew from another one. */
export const TAKEN_OVER =
  'the server knew this till from another outbox: this new one takes it over, and what waits in the other is sent only with --take-over from there'

const RENEWED: Readonly<Record<Renewal, string>> = {
  outbox_restored: 'this outbox was restored or copied',
  server_restored: 'the server was set back to an earlier state',
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
  return waiting === 0 ? there : `${there} cannot be sent any more: post them again from a new outbox`
}
