import { DatabaseSync } from 'node:sqlite'
import type { OutboxPlace } from '@tillwire/stock'

/** When the power goes: before a commit has reached the disk, or behind it. */
export type PowerCut = 'before' | 'behind'

/** The disk of a till: its outbox, in memory. What was committed is there for whoever opens it next. */
export class OutboxDisk implements OutboxPlace {
  readonly name: string
  /** It is full: nothing is committed. */
  full = false
  /** The power goes at the next commit but so many. */
  cut: { commits: number; readonly how: PowerCut; readonly happened: () => void } | undefined
  #image: Uint8Array | undefined
  #database: PoweredDatabase | undefined

  constructor(name: string, image?: Uint8Array) {
    this.name = name
    this.#image = image
  }

  open(): DatabaseSync {
    const database = new PoweredDatabase((how) => this.#commits(how))
    if (this.#image !== undefined) database.deserialize(this.#image)
    this.#database = database
    return database
  }

  release(): void {}

  /** What is on the disk now, to open it again or elsewhere. */
  copy(): Uint8Array | undefined {
    if (this.#database?.isOpen === true) this.#image = this.#database.serialize()
    return this.#image
  }

  /** The machine is gone. */
  lose(): void {
    this.copy()
    this.#database?.close()
    this.#database = undefined
  }

  #commits(how: PowerCut): void {
    if (how === 'before' && this.full) throw new Error('database or disk is full')
    const { cut } = this
    if (cut?.how !== how || cut.commits-- > 0) return
    this.cut = undefined
    const image = this.#database?.isTransaction === true ? undefined : this.#database?.serialize()
    if (image !== undefined) this.#image = image
    cut.happened()
    throw new Error('the power is gone')
  }
}
