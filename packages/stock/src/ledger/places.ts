import { Place } from './place.ts'

/** The places on the other side of every movement. Per item the sum over all places, these included, is always 0. */
export const VIRTUAL_PLACES = ['supplier', 'customer', 'shrink', 'waste', 'opening'] as const

/** A code of {@link VIRTUAL_PLACES}. */
export type VirtualPlace = (typeof VIRTUAL_PLACES)[number]

/** Every place of the ledger: the virtual ones, and the chain's locations as they are defined. */
export class Places {
  readonly virtual: Readonly<Record<VirtualPlace, Place>>
  readonly #locations = new Map<string, Place>()
  readonly #byNumber: Place[] = []

  constructor() {
    this.virtual = Object.fromEntries(VIRTUAL_PLACES.map((code) => [code, this.#add(code, true)])) as Record<VirtualPlace, Place>
  }

  /** A location of the chain; undefined when it is not defined. */
  location(code: string): Place | undefined {
    return this.#locations.get(code)
  }

  get locationCount(): number {
    return this.#locations.size
  }

  /** Locations and the virtual places, but for those of transfers, which are their own. */
  all(): readonly Place[] {
    return this.#byNumber
  }

  /** Defines a location that is not there yet. */
  addLocation(code: string): Place {
    const place = this.#add(code, false)
    this.#locations.set(code, place)
    return place
  }

  #add(code: string, virtual: boolean): Place {
    const place = new Place(code, this.#byNumber.length, virtual)
    this.#byNumber.push(place)
    return place
  }
}
