import { NetError } from '../errors.ts'
import type { Mailbox } from '../mailbox.ts'
import type { Correlate } from './client.ts'

/** An answer that is waited for. */
export interface Expected<In> {
  readonly answer: Promise<In>
  /** Nobody wants it any more; when it comes it is dropped. */
  giveUp(): void
}

/** Who is owed which message of one connection; what nobody is owed goes to the mailbox. */
export interface Answers<In, Out> {
  /** Requests that somebody waits for. */
  readonly waiting: number
  /** May this be asked now? @throws NetError `queue_full`, `request_duplicate` */
  admit(request: Out): void
  /** It was asked. */
  expect(request: Out): Expected<In>
  heard(message: In): void
  /** No message will come any more. */
  end(reason: NetError): void
}

interface Owed<In> extends Expected<In> {
  resolve(message: In): void
  reject(error: NetError): void
  wanted: boolean
}

function owed<In>(ended: NetError | undefined, givenUp: () => void): Owed<In> {
  const { promise, resolve, reject } = Promise.withResolvers<In>()
  if (ended !== undefined) reject(ended)
  const one: Owed<In> = {
    answer: promise,
    resolve,
    reject,
    wanted: true,
    giveUp: () => {
      if (!one.wanted) return
      one.wanted = false
      givenUp()
    },
  }
  return one
}

/** The server answers in order: the earliest request is owed the next message, even if nobody wants it any more. */
export class OrderedAnswers<In, Out> implements Answers<In, Out> {
  readonly #mailbox: Mailbox<In>
  readonly #most: number
  readonly #owed = new Set<Owed<In>>()
  #ended: NetError | undefined

  constructor(mailbox: Mailbox<In>, most: number) {
    this.#mailbox = mailbox
    this.#most = most
  }

  get waiting(): number {
    return this.#owed.size
  }

  admit(): void {
    admitOneMore(this.#owed.size, this.#most)
  }

  expect(): Expected<In> {
    const one = owed<In>(this.#ended, () => {})
    if (this.#ended === undefined) this.#owed.add(one)
    return one
  }

  heard(message: In): void {
    for (const one of this.#owed) {
      this.#owed.delete(one)
      one.wanted = false
      return one.resolve(message) // settles nothing when it was given up
    }
    this.#mailbox.put(message)
  }

  end(reason: NetError): void {
    this.#ended ??= reason
    for (const one of this.#owed) one.reject(reason)
    this.#owed.clear()
  }
}

/** The server answers in any order: a key says whom. */
export class KeyedAnswers<In, Out> implements Answers<In, Out> {
  readonly #correlate: Correlate<In, Out>
  readonly #mailbox: Mailbox<In>
  readonly #most: number
  readonly #repeats: boolean
  readonly #owed = new Map<unknown, Owed<In>>()
  /** Keys whose answer, if it still comes, is dropped; as many as there may be requests, the oldest is forgotten first. */
  readonly #done = new Set<unknown>()
  #ended: NetError | undefined

  /** @param repeats - answers may come more than once, as datagrams do; later ones are dropped */
  constructor(correlate: Correlate<In, Out>, mailbox: Mailbox<In>, most: number, repeats: boolean) {
    this.#correlate = correlate
    this.#mailbox = mailbox
    this.#most = most
    this.#repeats = repeats
  }

  get waiting(): number {
    return this.#owed.size
  }

  admit(request: Out): void {
    const key = this.#correlate.request(request)
    if (key === undefined) throw new TypeError('correlate.request() must give every request a key')
    if (this.#owed.has(key)) throw new NetError('request_duplicate', `a request with the key ${String(key)} is still unanswered`)
    admitOneMore(this.#owed.size, this.#most)
  }

  expect(request: Out): Expected<In> {
    const key = this.#correlate.request(request)
    const one = owed<In>(this.#ended, () => {
      this.#owed.delete(key)
      this.#forget(key)
    })
    if (this.#ended !== undefined) return one
    this.#done.delete(key) // used again: from now on its answers are this request's
    this.#owed.set(key, one)
    return one
  }

  heard(message: In): void {
    const key = this.#correlate.reply(message)
    const one = key === undefined ? undefined : this.#owed.get(key)
    if (one !== undefined) {
      this.#owed.delete(key)
      if (this.#repeats) this.#forget(key)
      one.wanted = false
      one.resolve(message)
    } else if (key !== undefined && this.#done.has(key)) {
      if (!this.#repeats) this.#done.delete(key)
    } else this.#mailbox.put(message)
  }

  end(reason: NetError): void {
    this.#ended ??= reason
    for (const one of this.#owed.values()) {
      one.wanted = false
      one.reject(reason)
    }
    this.#owed.clear()
  }

  #forget(key: unknown): void {
    this.#done.add(key)
    if (this.#done.size <= this.#most) return
    for (const oldest of this.#done) return void this.#done.delete(oldest)
  }
}

function admitOneMore(waiting: number, most: number): void {
  if (waiting >= most) throw new NetError('queue_full', `no more than ${most} requests may be in flight`)
}
