/** The kinds that post lines against one location. */
export const LINE_KINDS = ['opening', 'receipt', 'supplier_return', 'sale', 'return', 'waste', 'adjust', 'count'] as const

/** A kind of {@link LINE_KINDS}. */
export type LineKind = (typeof LINE_KINDS)[number]

/** Where a line's code stands in the table that it was read from, if any; see {@link Items.find}. A symbol, for it is no part of what the line says. */
export const SLOT: unique symbol = Symbol('slot')

/** One line as the till sent it; the quantity is in units, not yet checked against the rules. */
export interface Line {
  readonly item: string
  readonly quantity: number
  readonly [SLOT]?: number
}

interface Common {
  /** The till's number for it: 1, 2, 3, … within an epoch. */
  readonly seq: number
  /** The till's time, in milliseconds since 1970. */
  readonly at: number
  readonly id?: string
  readonly ref?: string
}

/** Goods move between a location and the outside. */
export interface LinesTransaction extends Common {
  readonly kind: LineKind
  readonly location: string
  readonly lines: readonly Line[]
  /** The sale that a return, or the receipt that a supplier's return, takes back. */
  readonly of?: string
}

/** A store or warehouse is defined or renamed. */
export interface LocationTransaction extends Common {
  readonly kind: 'location'
  readonly location: string
  readonly name?: string
  readonly type?: 'store' | 'warehouse'
}

/** A pack in which an item is ordered. */
export interface Pack {
  readonly name: string
  readonly quantity: number
}

/** An item is defined or changed: the fields given replace what was there. */
export interface ItemTransaction extends Common {
  readonly kind: 'item'
  readonly item: string
  readonly name?: string
  readonly unit?: string
  readonly decimals?: number
  readonly barcodes?: readonly string[]
  readonly packs?: readonly Pack[]
  readonly supplier?: string
  readonly active?: boolean
}

/** A sale is taken back whole: the exact inverse of what it posted. */
export interface SaleVoidTransaction extends Common {
  readonly kind: 'sale_void'
  /** The id of the sale. */
  readonly of: string
}

/** Goods leave a location for another one. */
export interface TransferShipTransaction extends Common {
  readonly kind: 'transfer_ship'
  readonly location: string
  readonly to: string
  /** The name of the transfer, of the shipper's choice. */
  readonly transfer: string
  readonly lines: readonly Line[]
}

/** Goods of a transfer arrive. */
export interface TransferReceiveTransaction extends Common {
  readonly kind: 'transfer_receive'
  readonly location: string
  readonly transfer: string
  readonly lines: readonly Line[]
  /** Nothing more will come: what is missing goes to shrink. Default: true. */
  readonly final?: boolean
}

/** Goods are set aside for somebody. */
export interface ReserveTransaction extends Common {
  readonly kind: 'reserve'
  readonly location: string
  /** The name of the reservation, of the caller's choice. */
  readonly reservation: string
  /** When it expires, in milliseconds since 1970. */
  readonly until: number
  readonly lines: readonly Line[]
}

/** A reservation is given up, or its goods are sold. */
export interface ReservationTransaction extends Common {
  readonly kind: 'release' | 'fulfil'
  readonly reservation: string
}

/** How much of an item a location should have. The fields given replace what was there. */
export interface PolicyTransaction extends Common {
  readonly kind: 'policy'
  readonly location: string
  readonly item: string
  /** Order when no more than this is there or on its way, in units. */
  readonly reorderPoint?: number
  /** Order up to this, in units. */
  readonly orderUpTo?: number
  /** Order in multiples of this, in units. */
  readonly pack?: number
  /** Days from order to shelf. */
  readonly leadDays?: number
}

/** Time has passed and nobody posts: the server itself writes it, so that reservations expire. */
export interface TickTransaction extends Common {
  readonly kind: 'tick'
}

/** A till is registered or moved to a new epoch. The server itself writes it. */
export interface TillTransaction extends Common {
  readonly kind: 'till'
  readonly till: string
  readonly epoch: number
}

/** A kind that this version does not know. It is logged and refused, so that its number is used up. */
export interface UnknownTransaction extends Common {
  readonly kind: 'unknown'
  /** The kind as sent. */
  readonly sent: string
  /** The other fields as sent, which say whether it is sent again or another. */
  readonly content?: Readonly<Record<string, unknown>>
}

/** One document of a till, with its fields checked for type and size, not yet for the ledger's rules. */
export type Transaction =
  | LinesTransaction
  | SaleVoidTransaction
  | TransferShipTransaction
  | TransferReceiveTransaction
  | ReserveTransaction
  | ReservationTransaction
  | PolicyTransaction
  | LocationTransaction
  | ItemTransaction
  | TillTransaction
  | TickTransaction
  | UnknownTransaction
