import { join } from 'node:path'
import { Option } from 'commander'

/** Names the folder that outboxes are in, wherever a command is run. */
const OUTBOXES = 'TILLWIRE_OUTBOXES'

/** `--outbox`, the same in every command that opens one. */
export function outboxOption(): Option {
  return new Option('-o, --outbox <folder>', `the till's outbox (default: <till> in ./outbox, or in the folder that ${OUTBOXES} names)`)
}

/** The outbox of a till, where none is given. */
export function outboxFolder(till: string, given: string | undefined): string {
  return given ?? join(process.env[OUTBOXES] || 'outbox', till.replaceAll('/', '-'))
}
