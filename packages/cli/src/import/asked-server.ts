import { Reader } from '@tillwire/stock'
import { EXIT, Failure, oneLine } from '../failure.ts'
import { fired } from '../stop-signal.ts'

/** How long a question waits for the server, in milliseconds. */
const ASK_MS = 5_000

/** The server, as far as it can be asked: where it cannot, all is let pass, and that is said. */
export class AskedServer {
  readonly #server: string
  readonly #stop: AbortSignal
  #isAway = false

  constructor(server: string, stop: AbortSignal) {
    this.#server = server
    this.#stop = stop
  }

  /**
   * @param otherwise - what is not known where it cannot be asked
   * @throws (rejects) Failure when it is stopped.
   */
  async ask<T>(question: (reader: Reader) => Promise<T>, otherwise: string): Promise<T | undefined> {
    if (this.#isAway) {
      process.stderr.write(`${otherwise}\n`)
      return undefined
    }
    try {
      const signal = AbortSignal.any([this.#stop, AbortSignal.timeout(ASK_MS)])
      await using reader = await Reader.connect(this.#server, { signal })
      return await Promise.race([question(reader), fired(signal).then(() => Promise.reject(new Error('no answer in time')))])
    } catch (error) {
      if (this.#stop.aborted) throw new Failure('interrupted; nothing was posted', EXIT.interrupted)
      this.#isAway = true
      process.stderr.write(`the server cannot be asked (${oneLine(error)}): ${otherwise}\n`)
      return undefined
    }
  }
}
