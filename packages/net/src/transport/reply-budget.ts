import type { Limits } from '../limits.ts'

interface Account {
  bytes: number
  at: number
}

/**
 * How many bytes each source of datagrams may be answered. A source can be forged; whoever is answered much for little would be
 * flooded by us in somebody else's name. So an answer may be `datagramReplyFactor` times what came, and above that so many
 * bytes a second. Time is passed in.
 */
export class ReplyBudget {
  readonly #limits: Limits
  /** In the order in which they were last heard. */
  readonly #accounts = new Map<string, Account>()

  constructor(limits: Limits) {
    this.#limits = limits
  }

  /** Sources that are remembered. */
  get sources(): number {
    return this.#accounts.size
  }

  /** So many bytes came from a source. */
  received(source: string, bytes: number, nowMs: number): void {
    const account = this.#account(source, nowMs)
    const { datagramReplyBytes, datagramReplyFactor, datagramBytesMax } = this.#limits
    // What is earned and not spent is bounded: a credit that grew without end would be a flood in store.
    account.bytes = Math.min(account.bytes + bytes * datagramReplyFactor, datagramReplyBytes + datagramBytesMax * datagramReplyFactor)
    this.#accounts.delete(source)
    this.#remember(source, account)
  }

  /** May so many bytes go to a source? If so they are spent. */
  spend(source: string, bytes: number, nowMs: number): boolean {
    const account = this.#account(source, nowMs)
    if (account.bytes < bytes) return false
    account.bytes -= bytes
    // One that was forgotten since it was heard: it must not have a new budget for every reply.
    if (!this.#accounts.has(source)) this.#remember(source, account)
    return true
  }

  #remember(source: string, account: Account): void {
    this.#accounts.set(source, account)
    if (this.#accounts.size <= this.#limits.datagramSourcesMax) return
    for (const oldest of this.#accounts.keys()) return void this.#accounts.delete(oldest)
  }

  #account(source: string, nowMs: number): Account {
    const { datagramReplyBytes } = this.#limits
    const account = this.#accounts.get(source)
    if (account === undefined) return { bytes: datagramReplyBytes, at: nowMs }
    if (account.bytes < datagramReplyBytes) {
      account.bytes = Math.min(datagramReplyBytes, account.bytes + ((nowMs - account.at) * datagramReplyBytes) / 1000)
    }
    account.at = nowMs
    return account
  }
}
