import { once } from 'node:events'
import { createConnection, type Socket } from 'node:net'

/** A line of the server, read as JSON. */
export type Said = Record<string, unknown>

/** The plainest client of the protocol: a socket, lines out, lines in. */
export class WireClient implements Disposable {
  readonly #socket: Socket
  readonly #said: Said[] = []
  readonly #all: Said[] = []
  #rest = ''
  #over = false
  #wake: (() => void) | undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setEncoding('utf8')
    socket.on('data', (text: string) => this.#heard(text))
    socket.on('end', () => socket.end())
    for (const event of ['end', 'close', 'error']) {
      socket.on(event, () => {
        this.#over = true
        this.#wake?.()
      })
    }
  }

  static async connect(endpoint: string): Promise<WireClient> {
    const { protocol, hostname, port, pathname } = new URL(endpoint)
    const socket = createConnection({
      ...(protocol === 'unix:' ? { path: pathname } : { host: hostname, port: Number(port) }),
      allowHalfOpen: true,
      noDelay: true,
    })
    await once(socket, 'connect')
    return new WireClient(socket)
  }

  /** Connects and says hello as a till; answers with the welcome heard. */
  static async till(endpoint: string, till: string, epoch = 0): Promise<WireClient & { readonly welcome: Said }> {
    const client = await WireClient.connect(endpoint)
    client.say({ hello: 1, till, epoch })
    return Object.assign(client, { welcome: await client.next() })
  }

  /** Everything heard so far. */
  get all(): readonly Said[] {
    return this.#all
  }

  /** Sends bytes as they are. */
  write(bytes: string | Uint8Array): this {
    this.#socket.write(bytes)
    return this
  }

  /** Sends objects, a line each, in one write. */
  say(...messages: readonly unknown[]): this {
    return this.write(messages.map((message) => `${JSON.stringify(message)}\n`).join(''))
  }

  /** The next line of the server. */
  async next(): Promise<Said> {
    const said = await this.#take()
    if (said === undefined) throw new Error(`the server ended; it had said ${JSON.stringify(this.#all.slice(-3))}`)
    return said
  }

  /** Asks and hears lines until one passes. */
  async until(passes: (said: Said) => boolean): Promise<Said> {
    for (;;) {
      const said = await this.next()
      if (passes(said)) return said
    }
  }

  /** Lines until the acknowledgement of a number, all of them. */
  async acked(seq: number): Promise<Said> {
    return await this.until((said) => typeof said.ack === 'number' && said.ack >= seq)
  }

  /** Everything until the server ends. */
  async toEnd(): Promise<Said[]> {
    const heard: Said[] = []
    for (let said = await this.#take(); said !== undefined; said = await this.#take()) heard.push(said)
    return heard
  }

  /** Ends this side's direction. */
  end(): this {
    this.#socket.end()
    return this
  }

  /** Takes nothing more of what the server sends, until {@link resume}. */
  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  /** Breaks the connection off. */
  break(): void {
    this.#socket.destroy()
  }

  [Symbol.dispose](): void {
    this.#socket.destroy()
  }

  async #take(): Promise<Said | undefined> {
    while (this.#said.length === 0 && !this.#over) await new Promise<void>((resolve) => (this.#wake = resolve))
    return this.#said.shift()
  }

  #heard(text: string): void {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) {
      const said = JSON.parse(line) as Said
      this.#said.push(said)
      this.#all.push(said)
    }
    this.#wake?.()
  }
}

/** What a line says, without what every run says differently. */
export function timeless(said: Said): Said {
  const { time: _time, server: _server, ...rest } = said
  return rest
}
