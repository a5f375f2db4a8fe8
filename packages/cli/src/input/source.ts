import { createHash, type Hash } from 'node:crypto'
import { createReadStream, createWriteStream, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { EXIT, Failure } from '../failure.ts'

/** An input that can be read more than once: a file, or standard input that was put aside. */
export interface Source {
  /** How to call it in messages. */
  readonly name: string
  /** What a later run knows it by: the absolute path; `-` for standard input. */
  readonly path: string
  read(): AsyncIterable<Buffer>
  /** Lets go what was put aside. */
  close(): void
}

/** The path of standard input. */
export const STANDARD_INPUT = '-'

/** Opens `FILE` or `-`. @throws Failure when there is no such file. */
export async function openSource(file: string, stop: AbortSignal): Promise<Source> {
  if (file === '-') return putAside(stop)
  try {
    if (statSync(file).isDirectory()) throw new Failure(`${file} is a folder`, EXIT.usage)
  } catch (error) {
    if (error instanceof Failure) throw error
    throw new Failure(`${file} cannot be read: ${unreadable(error)}`, EXIT.usage)
  }
  return { name: file, path: resolve(file), read: () => createReadStream(file), close: () => {} }
}

/** Why a file cannot be read. */
export function unreadable(error: unknown): string {
  return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file' : (error as Error).message
}

async function putAside(stop: AbortSignal): Promise<Source> {
  const folder = mkdtempSync(join(tmpdir(), 'tillwire-'))
  const path = join(folder, 'input')
  if (process.stdin.isTTY) process.stderr.write('reading from the terminal; Ctrl-D on an empty line ends the input\n')
  try {
    await pipeline(process.stdin, createWriteStream(path, { mode: 0o600 }), { signal: stop })
  } catch (error) {
    rmSync(folder, { recursive: true })
    throw stop.aborted ? new Failure('interrupted; nothing was taken', EXIT.interrupted) : error
  }
  return {
    name: 'standard input',
    path: STANDARD_INPUT,
    read: () => createReadStream(path),
    close: () => rmSync(folder, { recursive: true }),
  }
}

/** A part of an input that was taken in before: so many bytes, with this digest. */
export interface KnownPart {
  readonly bytes: number
  readonly digest: string
}

/** Passes an input's bytes on and learns who they are. */
export class Fingerprint {
  readonly #hash: Hash = createHash('sha256')
  readonly #lengths: number[]
  readonly #prefixes = new Map<number, string>()
  bytes = 0

  /** @param lengths - lengths of beginnings whose digests are wanted too */
  constructor(lengths: Iterable<number>) {
    this.#lengths = [...new Set(lengths)].sort((a, b) => a - b)
  }

  async *pass(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
    let next = 0
    for await (const chunk of chunks) {
      let from = 0
      for (let at = this.#lengths[next]; at !== undefined && at <= this.bytes + chunk.length; at = this.#lengths[++next]) {
        const to = at - this.bytes
        this.#hash.update(chunk.subarray(from, to))
        from = to
        this.#prefixes.set(at, this.#hash.copy().digest('hex'))
      }
      this.#hash.update(chunk.subarray(from))
      this.bytes += chunk.length
      yield chunk
    }
  }

  /** The digest of everything, once everything was passed. */
  digest(): string {
    return this.#hash.copy().digest('hex')
  }

  /** Whether the input begins with this part. */
  beginsWith(part: KnownPart): boolean {
    return this.#prefixes.get(part.bytes) === part.digest
  }
}
