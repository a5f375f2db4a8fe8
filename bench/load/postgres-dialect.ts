import type { Socket } from 'node:net'
import type { Dialect } from './dialect.ts'
import { joined } from './joined.ts'
import type { Receipts } from './receipts.ts'

/**
 * One statement posts the lines of one receipt or of many: it inserts them, which the key allows once, and moves each level by their
 * sum. A statement is a transaction of its own.
 */
const POST = `
WITH line AS (
  INSERT INTO movement (till, seq, line, location, item, quantity)
  SELECT $1, seq, line, $2, item, quantity
  FROM unnest($3::bigint[], $4::int[], $5::text[], $6::bigint[]) AS sold (seq, line, item, quantity)
  RETURNING item, quantity
)
INSERT INTO level AS known (location, item, on_hand)
SELECT $2, item, -sum(quantity) FROM line GROUP BY item ORDER BY item
ON CONFLICT (location, item) DO UPDATE SET on_hand = known.on_hand + excluded.on_hand`

const PROTOCOL = 196_608 // 3.0
const EXECUTE_AND_SYNC = Buffer.concat([message('E', '\0', int32(0)), message('S')])

/** The user and the database of the bench. */
export const POSTGRES_USER = 'bench'

/** The extended protocol: one prepared statement a connection, Bind, Execute and Sync a request. */
export const postgres: Dialect = {
  encoder(receipts, perRequest, turn) {
    return (from, to) => joined(from, to, (number) => Buffer.concat([bind(receipts, number, perRequest, turn), EXECUTE_AND_SYNC]))
  },

  async greet(socket) {
    await logIn(socket)
    await exchange(socket, Buffer.concat([message('P', 'post\0', POST, '\0', int16(0)), message('S')]))
  },

  acknowledgements: readyCounter,
}

/** Sends what is answered by one ReadyForQuery. */
export async function exchange(socket: Socket, bytes: Buffer): Promise<void> {
  const count = readyCounter()
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const heard = (chunk: Buffer): void => {
    try {
      if (count(chunk) > 0) resolve()
    } catch (error) {
      reject(error)
    }
  }
  const ended = (): void => reject(new Error('PostgreSQL has ended the connection'))
  socket.on('data', heard).once('close', ended)
  socket.write(bytes)
  try {
    await promise
  } finally {
    socket.off('data', heard).off('close', ended)
  }
}

export async function logIn(socket: Socket): Promise<void> {
  const words = Buffer.from(`user\0${POSTGRES_USER}\0database\0postgres\0\0`)
  await exchange(socket, Buffer.concat([int32(words.length + 8), int32(PROTOCOL), words]))
}

/** SQL of any number of statements, as one simple query. */
export function simpleQuery(sql: string): Buffer {
  return message('Q', sql, '\0')
}

/** Counts ReadyForQuery, which ends every request. */
function readyCounter(): (chunk: Buffer) => number {
  let rest: Buffer = Buffer.alloc(0)
  return (chunk) => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let count = 0
    let at = 0
    while (at + 5 <= bytes.length) {
      const end = at + 1 + bytes.readInt32BE(at + 1)
      if (end > bytes.length) break
      const type = bytes[at]
      if (type === 0x45) throw new Error(`PostgreSQL: ${bytes.toString('utf8', at + 5, end).replaceAll('\0', ' ')}`)
      if (type === 0x5a) count++
      at = end
    }
    rest = bytes.subarray(at)
    return count
  }
}

function bind(receipts: Receipts, number: number, perRequest: number, turn: number): Buffer {
  const seqs: number[] = []
  const places: number[] = []
  const items: string[] = []
  const quantities: number[] = []
  const first = (number - 1) * perRequest + 1
  for (let seq = first; seq < first + perRequest; seq++) {
    for (const [place, { item, quantity }] of receipts.at(seq).entries()) {
      seqs.push(seq)
      places.push(place + 1)
      items.push(item)
      quantities.push(quantity)
    }
  }
  const values = [`${receipts.till}/${turn}`, receipts.location, ...[seqs, places, items, quantities].map((list) => `{${list.join(',')}}`)]
  const parts = values.flatMap((value) => [int32(Buffer.byteLength(value)), value])
  return message('B', '\0', 'post\0', int16(0), int16(values.length), ...parts, int16(0))
}

function message(type: string, ...parts: readonly (string | Buffer)[]): Buffer {
  const body = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)))
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body])
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeInt16BE(value)
  return bytes
}
