/** One service in several threads or processes. */

import { systemClock } from '../clock.ts'
import { parseEndpoint } from '../endpoint.ts'
import { fromSystem, NetError } from '../errors.ts'
import { descriptorLimit, type Limits, limitsFrom, limitsOfWorker } from '../limits.ts'
import { duplicate } from '../posix/index.ts'
import type { ServeOptions, Server } from '../server.ts'
import { readServerKeys } from '../tls-keys.ts'
import { bytesMax } from '../transport/index.ts'
import { DatagramRelay } from './datagram-relay.ts'
import type { Start, WorkerOptions } from './messages.ts'
import { type Places, takePlaces } from './places.ts'
import { Pool } from './pool.ts'
import { launchProcess } from './processes.ts'
import { launchThread } from './threads.ts'

export { loadService } from './load-service.ts'

/**
 * Runs a module's service in so many threads or processes, on the same endpoints.
 * @throws (rejects) as `serve` does.
 */
export async function servePool(
  module: string,
  endpoints: readonly string[],
  kind: 'threads' | 'processes',
  count: number,
  options: ServeOptions,
): Promise<Server> {
  const limits = limitsFrom(options.limits)
  if (!Number.isSafeInteger(count) || count < 1 || count > limits.workersMax) {
    throw new RangeError(`${kind} must be a whole number from 1 to ${limits.workersMax} (the limit workersMax), not ${String(count)}`)
  }
  const { transport, clock, onFault, threads: _threads, processes: _processes, data, tls, ...rest } = options
  const ofCode = transport !== undefined ? 'transport' : clock !== undefined ? 'clock' : undefined
  if (ofCode !== undefined)
    throw new NetError('unsupported', `serve() with ${kind} takes no ${ofCode}: it is code, and code cannot be sent there`)
  const ofWorker = limitsOfWorker(limits, count, kind === 'threads' ? descriptorLimit() : undefined)
  const workerOptions: WorkerOptions = copied('the options', {
    ...rest,
    reusePort: true,
    limits: ofWorker,
    tls: tls && (await readServerKeys(tls)),
  })
  const copy = copied('the option data', data)

  const places = await takePlaces(endpoints, { limits, mode: options.mode ?? 0o660, reusePort: options.reusePort === true })
  const start: Start = { say: 'start', module, data: copy, places: places.places, options: workerOptions }
  const fault = onFault ?? ((error) => process.emitWarning(error instanceof Error ? error : String(error)))
  const relays = kind === 'threads' ? await openRelays(places, limits, fault) : new Map<number, DatagramRelay>()
  const pool = new Pool(
    {
      launch: kind === 'threads' ? launchThread : launchProcess,
      start,
      shared: places.shared,
      relays,
      limits,
      onFault: fault,
    },
    places,
    count,
    tls,
  )
  await pool.start()
  return pool
}

/** Each has a descriptor of its own: it sends what is still to be sent when the places are given back. */
async function openRelays(
  { places, shared, close }: Places,
  limits: Limits,
  fault: (error: unknown) => void,
): Promise<Map<number, DatagramRelay>> {
  const relays = new Map<number, DatagramRelay>()
  try {
    for (const { endpoint, shared: at } of places) {
      if (at === undefined || parseEndpoint(endpoint).transport !== 'unixgram') continue
      relays.set(at, await DatagramRelay.open(at, duplicate(shared[at] as number), bytesMax(limits), systemClock, fault))
    }
    return relays
  } catch (error) {
    await Promise.all([...relays.values()].map((relay) => relay.close()))
    await close()
    throw fromSystem(error, 'a socket of Unix datagrams', 'address_unavailable')
  }
}

function copied<T>(what: string, value: T): T {
  try {
    return structuredClone(value)
  } catch (error) {
    throw new TypeError(`${what} cannot be sent to another thread or process: ${(error as Error).message}`, { cause: error })
  }
}
