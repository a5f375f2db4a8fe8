/**
 * Figures of some items at one location, by rising item number. Rows of their own cost many times as much room and time as they hold; a
 * location's figures are always written together, and read together.
 */
export interface PackedLevels {
  /** Numbers of the ledger's items. */
  readonly items: Uint32Array
  readonly values: Float64Array
  /** What is known of each beside its value, as bits. */
  readonly states: Uint8Array
}

const BYTES = 8 + 4 + 1

/** Room for so many items. */
export function packedLevels(count: number): PackedLevels {
  return { items: new Uint32Array(count), values: new Float64Array(count), states: new Uint8Array(count) }
}

/** The values, then the items, then the states, as the machine stores them: the tables stay on the machine that made them. */
export function pack({ items, values, states }: PackedLevels): Uint8Array {
  const count = items.length
  const bytes = new Uint8Array(count * BYTES)
  new Float64Array(bytes.buffer, 0, count).set(values)
  new Uint32Array(bytes.buffer, count * 8, count).set(items)
  bytes.set(states, count * 12)
  return bytes
}

/** @throws RangeError for bytes that {@link pack} did not make. */
export function unpack(bytes: Uint8Array): PackedLevels {
  const count = bytes.length / BYTES
  if (!Number.isInteger(count)) throw new RangeError(`${bytes.length} bytes are no packed levels`)
  const { buffer, byteOffset } = bytes.byteOffset % 8 === 0 ? bytes : bytes.slice()
  return {
    values: new Float64Array(buffer, byteOffset, count),
    items: new Uint32Array(buffer, byteOffset + count * 8, count),
    states: new Uint8Array(buffer, byteOffset + count * 12, count),
  }
}

/** Where an item stands; -1 where it is not among them. */
export function indexOfItem({ items }: PackedLevels, item: number): number {
  let low = 0
  let high = items.length - 1
  while (low <= high) {
    const middle = (low + high) >> 1
    const found = items[middle] as number
    if (found === item) return middle
    if (found < item) low = middle + 1
    else high = middle - 1
  }
  return -1
}

/** Both together: values are added up, states are joined by the caller's rule. */
export function joinLevels(one: PackedLevels, other: PackedLevels, joinStates: (one: number, other: number) => number): PackedLevels {
  const all = packedLevels(one.items.length + other.items.length)
  let count = 0
  for (let left = 0, right = 0; left < one.items.length || right < other.items.length; count++) {
    const first = one.items[left] ?? Number.POSITIVE_INFINITY
    const second = other.items[right] ?? Number.POSITIVE_INFINITY
    all.items[count] = Math.min(first, second)
    if (first === second) {
      all.values[count] = (one.values[left] as number) + (other.values[right] as number)
      all.states[count] = joinStates(one.states[left++] as number, other.states[right++] as number)
    } else {
      const [from, index] = first < second ? [one, left++] : [other, right++]
      all.values[count] = from.values[index] as number
      all.states[count] = from.states[index] as number
    }
  }
  return { items: all.items.subarray(0, count), values: all.values.subarray(0, count), states: all.states.subarray(0, count) }
}
