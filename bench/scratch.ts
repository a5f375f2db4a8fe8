import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A folder for everything that a run writes, on one disk for all contenders; it is removed in the end. */
export class Scratch implements Disposable {
  readonly #root = mkdtempSync(join(tmpdir(), 'tillwire-bench-'))

  constructor() {
    process.once('exit', () => this[Symbol.dispose]()) // also when the bench is broken off
    chmodSync(this.#root, 0o711) // a contender may run as another user
  }

  folder(name: string): string {
    const path = join(this.#root, name)
    mkdirSync(path)
    return path
  }

  [Symbol.dispose](): void {
    rmSync(this.#root, { recursive: true, force: true })
  }
}
