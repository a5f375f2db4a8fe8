import type { LogProgress } from '@tillwire/stock'
import { SingleBar } from 'cli-progress'

/** A bar on a terminal for what goes through a whole log; nothing elsewhere. */
export class LogBar implements Disposable {
  readonly #what: string
  #bar: SingleBar | undefined

  constructor(what: string) {
    this.#what = what
  }

  readonly hear = ({ position, of }: LogProgress): void => {
    if (!process.stderr.isTTY) return
    if (this.#bar === undefined) {
      const format = `${this.#what} {bar} {percentage}% {value}/{total}`
      this.#bar = new SingleBar({ format, stream: process.stderr, hideCursor: true, barsize: 30 })
      this.#bar.start(of, 0)
    }
    this.#bar.update(Math.min(position, of))
  };

  [Symbol.dispose](): void {
    this.#bar?.stop()
  }
}
