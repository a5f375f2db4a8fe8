import type { Items } from './item.ts'
import type { Journal } from './journal.ts'
import type { Mover } from './mover.ts'
import type { Places } from './places.ts'
import type { Policies } from './policies.ts'
import type { Reservations } from './reservations.ts'
import type { Transfers } from './transfers.ts'

/** What the rules of the kinds read and write. */
export interface Books {
  readonly items: Items
  readonly places: Places
  readonly transfers: Transfers
  readonly reservations: Reservations
  readonly policies: Policies
  /** The positions of sales that were voided. */
  readonly voided: Set<number>
  readonly journal: Journal
  readonly mover: Mover
}
