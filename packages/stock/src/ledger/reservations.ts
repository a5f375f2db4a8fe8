import type { Item } from './item.ts'
import { LEDGER_LIMITS } from './limits.ts'
import type { Place } from './place.ts'

/** A line of a reservation, in thousandths. */
export interface ReservedLine {
  item: Item
  readonly quantity: number
}

/** Goods set aside at a location for a while. */
export interface Reservation {
  readonly name: string
  readonly place: Place
  /** When it expires, in milliseconds. */
  readonly until: number
  /** The position of the transaction that made it. */
  readonly position: number
  readonly lines: readonly ReservedLine[]
}

const SWEEP_MIN = 1024

/** The reservations that are open, by their time, and those that expired and may still be fulfilled. */
export class Reservations {
  readonly #open = new Map<string, Reservation>()
  readonly #expired = new Map<string, Reservation>()
  /** A binary heap by time. It may still name reservations that are no longer open. */
  readonly #heap: Reservation[] = []

  get openCount(): number {
    return this.#open.size
  }

  find(name: string): Reservation | undefined {
    return this.#open.get(name)
  }

  /** One that expired, if it is still remembered. */
  findExpired(name: string): Reservation | undefined {
    return this.#expired.get(name)
  }

  open(): Iterable<Reservation> {
    return this.#open.values()
  }

  expired(): Iterable<Reservation> {
    return this.#expired.values()
  }

  /** When the next one expires, in milliseconds; Infinity when none does. */
  get nextExpiry(): number {
    for (let next = this.#heap[0]; next !== undefined; next = this.#heap[0]) {
      if (this.#open.get(next.name) === next) return next.until
      this.#pop()
    }
    return Number.POSITIVE_INFINITY
  }

  /** Sets goods aside. */
  begin(reservation: Reservation): void {
    for (const { item, quantity } of reservation.lines) reservation.place.reserve(item.number, quantity)
    this.#expired.delete(reservation.name)
    this.#open.set(reservation.name, reservation)
    // What was released long before its time is still in the heap: it is swept once that is more than half of it.
    if (this.#heap.length > 2 * this.#open.size + SWEEP_MIN) this.#sweep()
    else this.#push(reservation)
  }

  /** Frees what an open reservation holds, and forgets it. */
  end(reservation: Reservation): void {
    this.#open.delete(reservation.name)
    for (const { item, quantity } of reservation.lines) reservation.place.reserve(item.number, -quantity)
  }

  /** An expired one is over for good. */
  forget(reservation: Reservation): void {
    this.#expired.delete(reservation.name)
  }

  /** Takes the next reservation whose time is over by `recorded` out of the open ones; undefined when there is none. */
  expire(recorded: number): Reservation | undefined {
    if (this.nextExpiry > recorded) return undefined
    const due = this.#heap[0] as Reservation
    this.end(due)
    this.remember(due)
    return due
  }

  /** Keeps one that has expired, in the order in which they did. */
  remember(reservation: Reservation): void {
    this.#expired.delete(reservation.name) // one of this name that expired before would keep its place
    this.#expired.set(reservation.name, reservation)
    if (this.#expired.size <= LEDGER_LIMITS.reservationsExpiredMax) return
    for (const oldest of this.#expired.keys()) {
      this.#expired.delete(oldest)
      return
    }
  }

  #sweep(): void {
    this.#heap.length = 0
    for (const reservation of this.#open.values()) this.#push(reservation)
  }

  #push(reservation: Reservation): void {
    const heap = this.#heap
    heap.push(reservation)
    for (let index = heap.length - 1; index > 0; ) {
      const parent = (index - 1) >> 1
      if (!isBefore(heap[index] as Reservation, heap[parent] as Reservation)) return
      swap(heap, index, parent)
      index = parent
    }
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    heap[0] = last
    for (let index = 0; ; ) {
      let first = index
      for (const child of [index * 2 + 1, index * 2 + 2]) {
        if (child < heap.length && isBefore(heap[child] as Reservation, heap[first] as Reservation)) first = child
      }
      if (first === index) return
      swap(heap, index, first)
      index = first
    }
  }
}

/** By time; of the same time, the older one first: so that every replay expires them in the same order. */
function isBefore(one: Reservation, other: Reservation): boolean {
  return one.until < other.until || (one.until === other.until && one.position < other.position)
}

function swap(heap: Reservation[], one: number, other: number): void {
  const held = heap[one] as Reservation
  heap[one] = heap[other] as Reservation
  heap[other] = held
}
