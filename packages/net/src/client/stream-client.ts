import type { NetError } from '../errors.ts'
import { Mailbox } from '../mailbox.ts'
import type { Link, TlsFacts } from '../transport/index.ts'
import type { Client, RequestOptions } from './client.ts'
import { Session, type SessionSettings } from './session.ts'

/** A client of one connection; its end is the client's. */
export class StreamClient<In, Out> implements Client<In, Out> {
  readonly #session: Session<In, Out>
  readonly #mailbox: Mailbox<In>

  constructor(link: Link, settings: SessionSettings<In, Out>) {
    this.#mailbox = new Mailbox(settings.limits.inboxMessagesMax)
    this.#session = new Session(link, this.#mailbox, settings, (reason) => this.#mailbox.close(reason))
    this.#session.open()
  }

  get closed(): Promise<NetError | undefined> {
    return this.#session.closed
  }

  get tls(): TlsFacts | undefined {
    return this.#session.tls
  }

  get dropped(): number {
    return this.#mailbox.dropped
  }

  async send(message: Out): Promise<void> {
    if (!this.#session.send(message)) await this.#session.writable()
  }

  request(message: Out, options?: RequestOptions): Promise<In> {
    return this.#session.request(message, options)
  }

  [Symbol.asyncIterator](): AsyncGenerator<In, void, undefined> {
    return this.#mailbox.messages(() => this.#session.steer())
  }

  end(): void {
    this.#session.halfClose()
  }

  abort(): void {
    this.#session.abort()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#session.end()
    await this.closed
  }
}
