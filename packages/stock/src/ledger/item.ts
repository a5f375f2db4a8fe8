import { ItemSlots } from './item-slots.ts'
import type { ItemTransaction, Pack } from './transaction.ts'

/** What is sold and counted (a SKU). */
export interface Item {
  // What every line of a receipt asks stands first, in one cache line.
  /** Its place in the ledger's tables; numbers are given in order and never change. */
  readonly number: number
  /** False while only movements have named it. */
  defined: boolean
  active: boolean
  readonly code: string
  name: string
  unit: string
  decimals: number
  barcodes: readonly string[]
  packs: readonly Pack[]
  supplier: string
  /** True once it has turned out to be another item's barcode: what was there of it is that item's now. */
  absorbed: boolean
}

/** The items by code, by barcode and by number. */
export class Items {
  readonly #byCode = new Map<string, Item>()
  readonly #byBarcode = new Map<string, Item>()
  readonly #byNumber: Item[] = []
  readonly #bySlot = new ItemSlots()
  /** Absorbed items by code, each with the item that has taken its place. */
  readonly #absorbed = new Map<string, { readonly item: Item; readonly by: Item }>()

  /** How many there are, defined or not. */
  get count(): number {
    return this.#byNumber.length
  }

  /** Barcodes of all of them. */
  get barcodeCount(): number {
    return this.#byBarcode.size
  }

  /**
   * The item that a till means by a code or a barcode.
   * @param slot - where the code stands in the table that it was read from: it is found faster by that
   */
  find(scanned: string, slot?: number): Item | undefined {
    const kept = slot === undefined ? undefined : this.#bySlot.find(slot, scanned)
    if (kept !== undefined) return kept
    const item = this.#byCode.get(scanned) ?? this.#byBarcode.get(scanned)
    if (slot !== undefined && item !== undefined) this.#bySlot.keep(slot, scanned, item, this.count)
    return item
  }

  /** The item that a line with this code will be of; its code alone while nobody has named it before. */
  meant(scanned: string): Item | string {
    return this.find(scanned) ?? this.#absorbed.get(scanned)?.item ?? scanned
  }

  /** The item that has this very code, whether it is another's barcode by now or not. */
  coded(code: string): Item | undefined {
    return this.#byCode.get(code) ?? this.#absorbed.get(code)?.item
  }

  at(number: number): Item | undefined {
    return this.#byNumber[number]
  }

  all(): readonly Item[] {
    return this.#byNumber
  }

  /** A new item that nobody has defined yet. */
  add(code: string): Item {
    const absorbed = this.#absorbed.get(code)
    if (absorbed !== undefined) return this.#revive(absorbed.item)
    const item: Item = {
      number: this.#byNumber.length,
      defined: false,
      active: true,
      code,
      name: code,
      unit: 'each',
      decimals: 0,
      barcodes: [],
      packs: [],
      supplier: '',
      absorbed: false,
    }
    this.#byNumber.push(item)
    this.#byCode.set(code, item)
    return item
  }

  /** Sets what a definition names. The caller has seen to it that the barcodes are free. */
  define(item: Item, change: Partial<Omit<ItemTransaction, 'kind' | 'item'>>): void {
    item.defined = true
    item.name = change.name ?? item.name
    item.unit = change.unit ?? item.unit
    item.decimals = change.decimals ?? item.decimals
    item.packs = change.packs ?? item.packs
    item.supplier = change.supplier ?? item.supplier
    item.active = change.active ?? item.active
    if (change.barcodes === undefined) return
    for (const barcode of item.barcodes) this.#byBarcode.delete(barcode)
    for (const barcode of change.barcodes) this.#byBarcode.set(barcode, item)
    if (!item.barcodes.every((barcode) => this.#byBarcode.has(barcode))) this.#bySlot.forget()
    item.barcodes = change.barcodes
  }

  /** An item that nobody has defined turns out to be a barcode of another: its code finds that one from now on. */
  absorb(item: Item, by: Item): void {
    item.absorbed = true
    this.#byCode.delete(item.code)
    this.#bySlot.forget()
    this.#absorbed.set(item.code, { item, by })
  }

  /** The item that has what was posted under an item's own code: that item, or the one that has absorbed it. */
  posted(code: string): Item | undefined {
    return this.#byCode.get(code) ?? this.#absorbed.get(code)?.by
  }

  /** The barcode is no other item's any more, and has been seen again. */
  #revive(item: Item): Item {
    item.absorbed = false
    this.#absorbed.delete(item.code)
    this.#byCode.set(item.code, item)
    return item
  }
}
