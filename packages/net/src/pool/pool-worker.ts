import { type Counters, NO_COUNTERS, sumOfCounters } from '../counters.ts'
import { NetError } from '../errors.ts'
import type { Limits } from '../limits.ts'
import type { TlsServerOptions } from '../tls-keys.ts'
import type { DatagramRelay } from './datagram-relay.ts'
import type { FromWorker, News, Question, Start } from './messages.ts'
import type { Launch, Runner } from './runner.ts'
import { errorTold } from './told-error.ts'

/** What a worker is started with. */
export interface WorkerPlan {
  readonly launch: Launch
  readonly start: Start
  /** The descriptors of the sockets that all workers accept on or receive at. */
  readonly shared: readonly number[]
  /** Of threads: the datagram sockets that they share, by their places. */
  readonly relays: ReadonlyMap<number, DatagramRelay>
  readonly limits: Limits
  readonly onFault: (error: unknown) => void
}

/** One life of a thread or process: it starts, it serves, and it ends, as it was told or not. */
export class PoolWorker {
  /** Resolves with the service's name once it listens; rejects with the reason why it never will. */
  readonly started: Promise<string>
  /** Resolves when the thread or process is gone: undefined when it had stopped as it was told, else why it ended. */
  readonly ended: Promise<NetError | undefined>
  readonly #onFault: (error: unknown) => void
  readonly #runner: Runner | undefined
  readonly #relays: ReadonlyMap<number, DatagramRelay>
  readonly #start = Promise.withResolvers<string>()
  readonly #end = Promise.withResolvers<NetError | undefined>()
  readonly #asked: Partial<Record<Question, Asked>> = {}
  readonly #startTimer: NodeJS.Timeout | undefined
  #counters: Counters = NO_COUNTERS
  #serving = false
  #stopped = false
  #gone = false
  /** Why it ends, where it or we could say it. */
  #reason: unknown

  constructor({ launch, start, shared, relays, limits, onFault }: WorkerPlan) {
    this.#onFault = onFault
    this.#relays = relays
    this.started = this.#start.promise
    this.ended = this.#end.promise
    this.started.catch(() => {}) // also told by `ended`, to whoever does not wait for the start
    try {
      this.#runner = launch(shared, {
        message: (message) => this.#hear(message),
        ended: (how, error) => this.#ended(how, error),
      })
      this.#runner.send(start)
    } catch (error) {
      this.#reason = error
      if (this.#runner === undefined) this.#ended('it could not be started', error)
      else this.#runner.kill()
    }
    if (limits.workerStartMs > 0 && !this.#gone) {
      this.#startTimer = setTimeout(() => this.kill(`it did not listen within ${limits.workerStartMs} ms`), limits.workerStartMs)
    }
  }

  /** As people look for it. */
  get name(): string {
    return this.#runner?.name ?? 'a worker'
  }

  /** True from listening until the end. */
  get serving(): boolean {
    return this.#serving
  }

  /** As it told them last. Those of one that is gone: what was open then has been lost with it. */
  get counters(): Counters {
    return this.#counters
  }

  /** Resolves when it has answered, or is gone. One question of a kind is under way, and one for all who ask meanwhile waits behind. */
  async ask(question: Question, keys?: TlsServerOptions): Promise<void> {
    if (this.#gone) return
    const now = this.#asked[question]
    if (now !== undefined) {
      now.next ??= now.answer.promise.then(() => this.ask(question, keys))
      return await now.next
    }
    const asked: Asked = { answer: Promise.withResolvers<void>(), next: undefined }
    this.#asked[question] = asked
    this.#runner?.send({ say: 'ask', question, keys })
    return await asked.answer.promise
  }

  /** Tells it to stop. Each call should bring a nearer deadline. */
  close(within: number | undefined): void {
    if (!this.#gone) this.#runner?.send({ say: 'close', within })
  }

  /** Ends it by force. */
  kill(why: string): void {
    if (this.#gone) return
    this.#reason ??= new Error(why)
    this.#runner?.kill()
  }

  /** Ends one that does not serve yet: it is not needed any more. */
  dismiss(): void {
    if (this.#gone) return
    this.#stopped = true
    this.#runner?.kill()
  }

  #hear(message: FromWorker): void {
    switch (message.say) {
      case 'ready':
        clearTimeout(this.#startTimer)
        this.#serving = true
        for (const relay of this.#relays.values()) relay.join(this.#runner as Runner)
        return this.#start.resolve(message.service)
      case 'failed':
        this.#reason ??= errorTold(message.error)
        return this.#start.reject(this.#reason)
      case 'taken':
      case 'reply':
      case 'forget':
        return this.#relays.get(message.relay)?.hear(this.#runner as Runner, message)
      case 'wants':
        return this.#lend(message.shared)
      case 'answer':
        this.#counters = message.counters
        return this.#answered(message.question)
      case 'report':
        this.#runner?.send({ say: 'heard' })
        return this.#news(message)
      case 'closed':
        this.#stopped = true
        return this.#news(message)
      case 'dying':
        if (message.error !== undefined) this.#reason ??= errorTold(message.error)
        return this.#news(message)
    }
  }

  #lend(shared: number): void {
    try {
      this.#runner?.lend(shared)
    } catch (error) {
      this.#reason ??= error
      this.#runner?.kill()
    }
  }

  #news({ counters, faults, unsaid }: News): void {
    this.#counters = counters
    for (const fault of faults) this.#onFault(errorTold(fault))
    if (unsaid > 0) this.#onFault(new Error(`${this.name}: ${unsaid} more faults in the same moment`))
  }

  #answered(question: Question): void {
    const asked = this.#asked[question]
    delete this.#asked[question]
    asked?.answer.resolve()
  }

  #ended(how: string, error: unknown): void {
    this.#gone = true
    this.#serving = false
    clearTimeout(this.#startTimer)
    if (this.#runner !== undefined) for (const relay of this.#relays.values()) relay.leave(this.#runner)
    const cause = this.#reason ?? error
    const why = cause instanceof Error ? `: ${cause.message}` : ''
    const lost = this.#stopped ? undefined : new NetError('worker_lost', `${this.name} has ended (${how})${why}`, cause)
    const { active } = this.#counters
    this.#counters = {
      ...sumOfCounters([this.#counters, { ...NO_COUNTERS, ended: active > 0 ? { worker_lost: active } : {} }]),
      active: 0,
      queueBytes: 0,
    }
    this.#start.reject(lost ?? new NetError('server_closing', `${this.name} was stopped`))
    for (const question of Object.keys(this.#asked) as Question[]) this.#answered(question)
    this.#end.resolve(lost)
  }
}

interface Asked {
  readonly answer: PromiseWithResolvers<void>
  next: Promise<void> | undefined
}
