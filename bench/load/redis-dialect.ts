import { createHash } from 'node:crypto'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { encodeTransaction } from '@tillwire/stock'
import type { Dialect } from './dialect.ts'
import { joined } from './joined.ts'

/** What one receipt does: its number is checked, it is kept as it was sent, and every line moves its level. */
const POST = `
if redis.call('INCR', KEYS[1]) ~= tonumber(ARGV[1]) then return redis.error_reply('the number is not the next one') end
redis.call('RPUSH', KEYS[3], ARGV[2])
for i = 3, #ARGV, 2 do redis.call('HINCRBY', KEYS[2], ARGV[i], '-' .. ARGV[i + 1]) end
return 1`

const POST_HASH = createHash('sha1').update(POST).digest('hex')
const LINE_FEED = 10
const COLON = ':'.charCodeAt(0)

/** RESP: a script for each receipt, called by its hash. */
export const redis: Dialect = {
  encoder(receipts, _perRequest, turn) {
    const { till, location } = receipts
    return (from, to) =>
      joined(from, to, (number) => {
        const lines = receipts.at(number)
        const text = encodeTransaction({ kind: 'sale', at: Date.now(), location, lines }, number)
        const pairs = lines.flatMap(({ item, quantity }) => [item, String(quantity)])
        const keys = [`till:${till}:${turn}`, `level:${location}`, 'receipts']
        return command('EVALSHA', POST_HASH, String(keys.length), ...keys, String(number), text, ...pairs)
      })
  },

  async greet(socket) {
    await ask(socket, command('SCRIPT', 'LOAD', POST))
  },

  acknowledgements() {
    let atStart = true
    return (chunk) => {
      let count = 0
      for (const byte of chunk) {
        if (atStart && byte !== COLON) throw new Error(`Redis: ${chunk}`)
        atStart = byte === LINE_FEED
        if (atStart) count++
      }
      return count
    }
  },
}

/** A command as an array of bulk strings. */
export function command(...words: readonly string[]): Buffer {
  return Buffer.from(`*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`)
}

/** Sends a command that has a short answer. */
export async function ask(socket: Socket, bytes: Buffer): Promise<void> {
  socket.write(bytes)
  const [chunk] = (await once(socket, 'data')) as [Buffer]
  if (chunk.toString('latin1').startsWith('-')) throw new Error(`Redis: ${chunk}`)
}
