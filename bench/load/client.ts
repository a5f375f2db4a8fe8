import type { Socket } from 'node:net'
import type { Encode, Encoded } from './dialect.ts'
import type { Histogram } from './histogram.ts'

/** Requests of one connection that may wait for their acknowledgement before the server counts as drowned. */
const WAITING_MAX = 1 << 20

/** What a connection sends. */
export interface ClientPlan {
  readonly requests: number
  readonly encode: Encode
  /** Everything is encoded before the clock starts, rather than as it is sent. */
  readonly ahead: boolean
  readonly acknowledgements: (chunk: Buffer) => number
}

/** One connection of the load: what it has sent, what of that is acknowledged, and how long it took. */
export class Client {
  readonly #socket: Socket
  readonly #plan: ClientPlan
  readonly #encoded: Encoded | undefined
  readonly #latencies: Histogram
  readonly #done = Promise.withResolvers<void>()
  /** When each request was handed over, by its number. */
  readonly #sentAt: Float64Array
  #sent = 0
  #acked = 0
  #heard: () => void = () => {}

  constructor(socket: Socket, plan: ClientPlan, outstanding: number, latencies: Histogram) {
    this.#socket = socket
    this.#plan = plan
    this.#latencies = latencies
    this.#encoded = plan.ahead ? plan.encode(1, plan.requests + 1) : undefined
    this.#sentAt = new Float64Array(outstanding === 0 ? WAITING_MAX : outstanding)
    socket.on('data', (chunk: Buffer) => this.#take(chunk))
    socket.once('close', () => this.#done.reject(new Error('the server has ended a connection')))
    this.#done.promise.catch(() => {}) // looked at by who runs it
  }

  /** Sends so many ahead of their acknowledgements, until all are acknowledged. */
  run(outstanding: number): Promise<void> {
    const { requests } = this.#plan
    this.#heard = () => this.sendUpTo(Math.min(requests, this.#acked + outstanding), performance.now())
    if (requests === 0) this.#done.resolve()
    this.#heard()
    return this.#done.promise
  }

  /** Resolves when all are acknowledged; somebody else says when they are sent. */
  get done(): Promise<void> {
    return this.#done.promise
  }

  /** Hands over the requests up to a number, all as of one moment; by the clock, the last of them as of it and the others `everyMs` apart. */
  sendUpTo(number: number, now: number, everyMs = 0): void {
    if (number <= this.#sent) return
    const slots = this.#sentAt.length
    if (number - this.#acked > slots) return this.#done.reject(new Error('the server has fallen behind the load for good'))
    for (let sent = this.#sent; sent < number; sent++) this.#sentAt[sent % slots] = now - (number - 1 - sent) * everyMs
    this.#socket.write(this.#bytes(this.#sent, number))
    this.#sent = number
  }

  #bytes(from: number, to: number): Buffer {
    if (this.#encoded === undefined) return this.#plan.encode(from + 1, to + 1).bytes
    const { bytes, starts } = this.#encoded
    return bytes.subarray(starts[from], starts[to])
  }

  #take(chunk: Buffer): void {
    let upTo: number
    try {
      upTo = this.#acked + this.#plan.acknowledgements(chunk)
    } catch (error) {
      return this.#done.reject(error)
    }
    const now = performance.now()
    const slots = this.#sentAt.length
    while (this.#acked < upTo) {
      const at = this.#sentAt[this.#acked % slots] as number
      let count = 1
      while (this.#acked + count < upTo && this.#sentAt[(this.#acked + count) % slots] === at) count++
      this.#latencies.note(now - at, count)
      this.#acked += count
    }
    if (this.#acked >= this.#plan.requests) this.#done.resolve()
    else this.#heard()
  }
}
