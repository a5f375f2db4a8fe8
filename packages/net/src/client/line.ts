import { NetError } from '../errors.ts'
import type { Mailbox } from '../mailbox.ts'
import type { Link } from '../transport/index.ts'
import type { RequestOptions } from './client.ts'
import { Session, type SessionSettings } from './session.ts'
import { Unsent } from './unsent.ts'

/** A connection that was just made, before anything that waits is sent. */
export interface Connected<In, Out> {
  /** Where it leads. */
  readonly endpoint: string
  /** As the client's own, over this connection alone. */
  send(message: Out): Promise<void>
  /** As the client's own, over this connection alone. */
  request(message: Out, options?: RequestOptions): Promise<In>
}

/** One connection of a client that has several, one after the other. */
export class Line<In, Out> implements Connected<In, Out> {
  readonly endpoint: string
  readonly session: Session<In, Out>
  readonly #unsent: Unsent<Out>
  #unsentAtEnd: readonly Out[] = []

  constructor(link: Link, endpoint: string, mailbox: Mailbox<In>, settings: SessionSettings<In, Out>) {
    this.endpoint = endpoint
    this.session = new Session(link, mailbox, settings, () => {
      this.#unsentAtEnd = this.#unsent.messages
    })
    this.#unsent = new Unsent(this.session)
  }

  get ending(): boolean {
    return this.session.ending
  }

  get congested(): boolean {
    return this.session.congested
  }

  /** Once it has ended: what had perhaps not left. */
  get unsent(): readonly Out[] {
    return this.#unsentAtEnd
  }

  /** Opens it and does what comes first; gives back what went wrong with that. */
  async begin(greet: ((connected: Connected<In, Out>) => void | Promise<void>) | undefined): Promise<unknown> {
    this.session.open()
    try {
      // Whatever the greeting waits for, an end of the connection is an end of it.
      await Promise.race([greet?.(this), this.session.closed.then((reason) => Promise.reject(reason ?? endedAtOnce(this.endpoint)))])
      return undefined
    } catch (error) {
      this.session.abort(error instanceof NetError ? error : new NetError('service_failed', `${this.endpoint}: onConnected failed`, error))
      return error
    }
  }

  writable(): Promise<void> {
    return this.session.writable()
  }

  async send(message: Out): Promise<void> {
    if (this.session.ending) await this.session.writable() // rejects with the reason
    const room = this.session.send(message)
    await this.#unsent.sent(message, room)
  }

  request(message: Out, options?: RequestOptions): Promise<In> {
    return this.session.request(message, options)
  }
}

function endedAtOnce(endpoint: string): NetError {
  return new NetError('peer_ended', `${endpoint}: ended in the moment it began`)
}
