import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect as connectSocket, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

/** A folder of the test's own, short enough for sockets. */
export async function folder(t: TestContext): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'tw-'))
  t.after(() => rm(made, { recursive: true, force: true }))
  return made
}

/** A plain socket that gathers what comes: a peer that knows nothing of framings. */
export class Peer {
  readonly socket: Socket
  readonly ended: Promise<string>
  #text = ''
  readonly #lookers = new Set<() => void>()

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on('error', () => {})
    socket.on('data', (chunk: Buffer) => {
      this.#text += chunk.toString()
      for (const look of [...this.#lookers]) look()
    })
    this.ended = once(socket, 'close').then(() => this.#text)
  }

  static async connect(t: TestContext, endpoint: string): Promise<Peer> {
    const { protocol, hostname, port, pathname } = new URL(endpoint)
    const socket =
      protocol === 'unix:' ? connectSocket(pathname) : connectSocket({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) })
    t.after(() => socket.destroy())
    const peer = new Peer(socket)
    await once(socket, 'connect')
    return peer
  }

  get text(): string {
    return this.#text
  }

  /** Resolves when what came so far matches; rejects when the connection ends before. */
  async heard(wanted: RegExp): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<string>()
    const look = (): void => {
      if (wanted.test(this.#text)) resolve(this.#text)
    }
    this.#lookers.add(look)
    look()
    const over = this.ended.then((text) => {
      if (!wanted.test(text)) throw new Error(`it ended and had not sent ${wanted}: ${JSON.stringify(text)}`)
      return text
    })
    over.catch(() => {})
    return await Promise.race([promise, over]).finally(() => this.#lookers.delete(look))
  }

  /** Sends, and resolves with all that has come when it matches. Forgets what came before. */
  ask(text: string, wanted: RegExp): Promise<string> {
    this.#text = ''
    this.socket.write(text)
    return this.heard(wanted)
  }
}
