import { backoffMs, DEFAULT_BACKOFF } from '../backoff.ts'
import { type Counters, NO_COUNTERS, sumOfCounters } from '../counters.ts'
import { diagnostics } from '../diagnostics.ts'
import { NetError } from '../errors.ts'
import type { Limits } from '../limits.ts'
import { closeDeadlineMs, type Server } from '../server.ts'
import { readServerKeys, type TlsServerOptions } from '../tls-keys.ts'
import type { Question } from './messages.ts'
import type { Places } from './places.ts'
import { PoolWorker, type WorkerPlan } from './pool-worker.ts'

/** One of the N places of a pool: its worker, or the wait for the next. */
interface Slot {
  worker: PoolWorker | undefined
  /** Tries since a worker last lived for a while. */
  tries: number
  retry: NodeJS.Timeout | undefined
}

/** Several workers as one server. */
export class Pool implements Server {
  readonly closed: Promise<void>
  #plan: WorkerPlan
  readonly #places: Places
  readonly #limits: Limits
  readonly #onFault: (error: unknown) => void
  readonly #slots: Slot[]
  readonly #resolveClosed: () => void
  /** What those have counted that are gone. */
  #past: Counters = NO_COUNTERS
  #replaced = 0
  #service = ''
  /** As the user gave them, perhaps with paths; a worker is given what was read. */
  #tls: TlsServerOptions | undefined
  #loading: Promise<void> = Promise.resolve()
  #suspended: Promise<void> | undefined
  #closing: Promise<void> | undefined
  /** The moment by `performance.now()`. */
  #deadline = Number.POSITIVE_INFINITY

  constructor(plan: WorkerPlan, places: Places, count: number, tls: TlsServerOptions | undefined) {
    this.#tls = tls
    this.#plan = plan
    this.#places = places
    this.#limits = plan.limits
    this.#onFault = plan.onFault
    this.#slots = Array.from({ length: count }, () => ({ worker: undefined, tries: 0, retry: undefined }))
    const { promise, resolve } = Promise.withResolvers<void>()
    this.closed = promise
    this.#resolveClosed = resolve
  }

  /** Starts all of them, or none: rejects with the first reason when all are gone again. */
  async start(): Promise<void> {
    const workers: PoolWorker[] = []
    try {
      for (const slot of this.#slots) {
        slot.worker = new PoolWorker(this.#plan)
        workers.push(slot.worker)
      }
      const names = await Promise.all(workers.map((worker) => worker.started))
      this.#service = names[0] as string
    } catch (error) {
      for (const worker of workers) worker.kill('another one could not start')
      await Promise.all(workers.map((worker) => worker.ended))
      await Promise.all([this.#places.close(), this.#closeRelays()])
      throw error
    }
    for (const slot of this.#slots) void this.#watch(slot, slot.worker as PoolWorker)
    diagnostics.listening(this.#service, this.endpoints)
  }

  get endpoints(): readonly string[] {
    return this.#places.endpoints
  }

  get counters(): Counters {
    const workers = this.#workers
    const now = sumOfCounters([this.#past, ...workers.map((worker) => worker.counters)])
    return { ...now, workers: workers.filter((worker) => worker.serving).length, workersReplaced: this.#replaced }
  }

  async count(): Promise<Counters> {
    const late = Promise.withResolvers<never>()
    const { requestMs } = this.#limits
    const error = new NetError('request_timeout', `a worker has not answered within ${requestMs} ms`)
    const timer = requestMs === 0 ? undefined : setTimeout(() => late.reject(error), requestMs)
    try {
      await Promise.race([this.#askAll('count'), late.promise])
    } finally {
      clearTimeout(timer)
    }
    return this.counters
  }

  suspend(): Promise<void> {
    this.#suspended ??= this.#suspend()
    return this.#suspended
  }

  async reloadTls(keys?: TlsServerOptions): Promise<void> {
    if (this.#tls === undefined) throw new TypeError('reloadTls() needs a server with the option tls')
    const loading = this.#loading.then(async () => {
      const next = keys ?? (this.#tls as TlsServerOptions)
      const texts = await readServerKeys(next)
      const { start } = this.#plan
      this.#plan = { ...this.#plan, start: { ...start, options: { ...start.options, tls: texts } } }
      this.#tls = next
      await this.#askAll('reloadTls', texts)
    })
    this.#loading = loading.catch(() => {}) // the caller hears of it
    await loading
  }

  async idle(): Promise<void> {
    await this.#askAll('idle')
  }

  close({ within }: { readonly within?: number } = {}): Promise<void> {
    const ms = closeDeadlineMs(within, this.#limits)
    const deadline = ms === undefined ? Number.POSITIVE_INFINITY : performance.now() + ms
    const nearer = deadline < this.#deadline
    const force = ms === undefined || !nearer ? undefined : this.#forceAfter(ms)
    if (nearer) this.#deadline = deadline
    if (nearer || this.#closing === undefined) for (const worker of this.#workers) worker.close(ms)
    this.#closing ??= this.#close()
    return this.#closing.finally(() => clearTimeout(force))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  get #workers(): PoolWorker[] {
    return this.#slots.flatMap(({ worker }) => worker ?? [])
  }

  async #askAll(question: Question, keys?: TlsServerOptions): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.ask(question, keys)))
  }

  /** The shared sockets go first: who connects then is refused, and does not wait for somebody to accept. */
  async #suspend(): Promise<void> {
    for (const { retry, worker } of this.#slots) {
      clearTimeout(retry)
      if (worker?.serving === false) worker.dismiss()
    }
    for (const relay of this.#plan.relays.values()) relay.suspend()
    try {
      await Promise.all([this.#places.close(), this.#askAll('suspend')])
    } finally {
      await this.#closeRelays()
    }
  }

  async #closeRelays(): Promise<void> {
    await Promise.all([...this.#plan.relays.values()].map((relay) => relay.close()))
  }

  async #close(): Promise<void> {
    const workers = this.#workers
    const [given] = await Promise.allSettled([this.suspend(), ...workers.map((worker) => worker.ended)])
    diagnostics.stopped(this.#service, this.endpoints)
    this.#resolveClosed()
    if (given.status === 'rejected') throw given.reason // an address could not be given back
  }

  #forceAfter(ms: number): NodeJS.Timeout | undefined {
    const { workerGraceMs } = this.#limits
    if (workerGraceMs === 0) return undefined
    return setTimeout(() => {
      for (const worker of this.#workers) worker.kill(`it had not stopped ${workerGraceMs} ms after the deadline of ${ms} ms`)
    }, ms + workerGraceMs)
  }

  /** Sees to a worker until it is gone, and to the next one in its place. */
  async #watch(slot: Slot, worker: PoolWorker): Promise<void> {
    const since = performance.now()
    const lost = await worker.ended
    this.#past = sumOfCounters([this.#past, worker.counters])
    slot.worker = undefined
    if (lost !== undefined) this.#onFault(lost)
    if (this.#suspended !== undefined) return // it would have nothing to do
    if (performance.now() - since >= DEFAULT_BACKOFF.mostMs) slot.tries = 0
    slot.retry = setTimeout(() => this.#replace(slot), backoffMs(slot.tries++, Math.random()))
  }

  #replace(slot: Slot): void {
    const worker = new PoolWorker(this.#plan)
    slot.worker = worker
    worker.started.then(
      () => this.#replaced++,
      () => {}, // #watch tells why
    )
    void this.#watch(slot, worker)
  }
}
