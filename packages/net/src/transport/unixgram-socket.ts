import { chmod, lstat, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fromSystem, NetError, type NetErrorCode } from '../errors.ts'
import { DatagramSocket, type Received, type Sent, type Watch, watchDescriptor } from '../posix/index.ts'
import { removeIfOurs, takePlace } from './socket-file.ts'

/** How to open a Unix datagram socket. Addresses are a path, or `@name` for an abstract one (Linux). */
export interface UnixgramOptions {
  /** The name to take. A stale file at the path is replaced, one on which somebody answers is not. */
  readonly bind?: string
  /** A socket that is bound already, by its descriptor, which is closed in the end; its name is whose who bound it ({@link holdUnixgram}). */
  readonly bound?: number
  /** Rights of the file of `bind`, such as 0o660. */
  readonly mode?: number
  /** Without a name nobody can answer; this takes one of its own: an abstract one, or a file in a folder of its own where there are none. */
  readonly autobind?: boolean
  /** The peer of a `send()` without an address, and the only one to hear from (on Linux). A new server at its place is found by itself. */
  readonly to?: string
  /** What one datagram may hold, in both directions. */
  readonly datagramBytesMax: number
  /** One datagram: bytes to keep, and who sent it, if that has a name. */
  message(bytes: Buffer, from: string | undefined): void
  /** After `send()` to the peer of `to` has answered false: it may have room again. */
  writable?(): void
  /** A datagram was dropped (`frame_too_large`), or receiving failed; the socket goes on, unless that failed again and again. */
  fault(error: Error): void
}

/** Datagrams that one socket gives out before others have their turn. */
const DATAGRAMS_A_TURN_MAX = 64
/** So many failures to receive with nothing received between are the socket's end. */
const FAILURES_MAX = 16
/** Where no event tells that a queue has room, it is tried again after this time. */
const RETRY_MS = 5
/** Somebody who is taking the name just now gets this time to finish. */
const STALE_AFTER_MS = 20
const DEFAULT_MODE = 0o660

/**
 * Opens a socket; it receives from then on, and keeps the process alive until it is closed.
 * @throws (rejects) NetError `unsupported`, `address_in_use`, `address_unavailable` (with the platform's reason, EMFILE for one),
 * `permission_denied`, `path_too_long`; with `to` also `connect_refused`, `connect_failed`.
 */
export async function openUnixgram(options: UnixgramOptions): Promise<UnixgramSocket> {
  const { bind, to } = options
  let socket: DatagramSocket | undefined
  let release: Release | undefined
  try {
    socket = new DatagramSocket(options.datagramBytesMax, options.bound)
    if (bind !== undefined) release = await takeName(socket, bind, options.mode ?? DEFAULT_MODE)
    else if (options.autobind) release = await takeAnyName(socket)
    if (to !== undefined) connect(socket, to)
    return new UnixgramSocket(socket, release, options)
  } catch (error) {
    await release?.()
    socket?.close()
    throw translate(error, nameOf(bind ?? to), 'address_unavailable')
  }
}

/** A bound socket of which this event loop reads nothing: it is held for those who are given its descriptor. */
export interface HeldUnixgram {
  readonly fd: number
  /** Gives the name back, then this descriptor. */
  close(): Promise<void>
}

/**
 * Takes a name for others to receive at.
 * @throws (rejects) NetError as {@link openUnixgram} does.
 */
export async function holdUnixgram(bind: string, mode: number, datagramBytesMax: number): Promise<HeldUnixgram> {
  let socket: DatagramSocket | undefined
  try {
    const made = new DatagramSocket(datagramBytesMax)
    socket = made
    const release = await takeName(made, bind, mode)
    return { fd: made.fd, close: () => giveBack(made, release) }
  } catch (error) {
    socket?.close()
    throw translate(error, nameOf(bind), 'address_unavailable')
  }
}

/** A Unix datagram socket whose name, if it has one, is its own. See {@link openUnixgram}. */
export class UnixgramSocket {
  /** The name it has taken: a path, `@name`, or undefined. */
  readonly address: string | undefined
  readonly #socket: DatagramSocket
  readonly #watch: Watch
  readonly #release: Release | undefined
  readonly #options: UnixgramOptions
  #failures = 0
  #paused = false
  /** The queue of the peer of `to` had no room. */
  #full = false
  #retry: NodeJS.Timeout | undefined
  #closed: Promise<void> | undefined

  constructor(socket: DatagramSocket, release: Release | undefined, options: UnixgramOptions) {
    this.address = socket.address
    this.#socket = socket
    this.#release = release
    this.#options = options
    this.#watch = watchDescriptor(socket.fd, (readable, writable) => this.#ready(readable, writable))
    this.#expect()
  }

  /**
   * Sends one datagram, to the peer of `to` when no address is given. False: a queue is full, nothing was sent. When that queue
   * is the peer's, `writable()` tells of room; for any other address nothing does: drop the datagram, or try again later.
   * @throws NetError `connect_refused` (nobody is there), `frame_too_large`, `permission_denied`, `path_too_long`, `connect_failed`, `aborted`
   * (the socket is closed). @throws TypeError when there is neither an address nor a peer.
   */
  send(bytes: Uint8Array, to?: string): boolean {
    const peer = this.#options.to
    const name = nameOf(to ?? peer)
    if (this.#closed !== undefined) throw new NetError('aborted', `${name}: the socket is closed`)
    if (to === undefined && peer === undefined) throw new TypeError('send() needs an address: the socket was opened without a peer')
    const { datagramBytesMax } = this.#options
    if (bytes.length > datagramBytesMax) {
      throw new NetError('frame_too_large', `${name}: a datagram of ${bytes.length} bytes, over the limit of ${datagramBytesMax}`)
    }
    let sent: Sent
    try {
      sent = this.#socket.send(bytes, to)
    } catch (error) {
      if (to !== undefined || peer === undefined || !PEER_GONE.has(errnoOf(error))) throw translate(error, name)
      sent = this.#sendToSuccessor(bytes, peer)
    }
    if (sent !== 'taken' && to === undefined) this.#awaitRoom(sent)
    return sent === 'taken'
  }

  /** Leaves what comes in the kernel, whose full queue is told to the senders. */
  pause(): void {
    this.#paused = true
    this.#expect()
  }

  /** Receives again. */
  resume(): void {
    this.#paused = false
    this.#expect()
  }

  /** Gives the name back and stops receiving; what the kernel still holds is lost. Resolves when the file is gone. */
  close(): Promise<void> {
    this.#closed ??= this.#end()
    return this.#closed
  }

  async #end(): Promise<void> {
    clearTimeout(this.#retry)
    this.#watch.close()
    await giveBack(this.#socket, this.#release)
  }

  /** The kernel keeps to the socket that was there at connecting; a server started anew at the same place is another. */
  #sendToSuccessor(bytes: Uint8Array, peer: string): Sent {
    connect(this.#socket, peer)
    try {
      return this.#socket.send(bytes)
    } catch (error) {
      throw translate(error, nameOf(peer))
    }
  }

  #awaitRoom(sent: Sent): void {
    if (this.#options.writable === undefined) return
    if (sent === 'full') {
      this.#full = true
      this.#expect()
    } else this.#retry ??= setTimeout(() => this.#tellRoom(), RETRY_MS)
  }

  #expect(): void {
    this.#watch.expect(!this.#paused, this.#full)
  }

  #tellRoom(): void {
    this.#retry = undefined
    this.#options.writable?.()
  }

  #ready(readable: boolean, writable: boolean): void {
    if (writable) {
      this.#full = false
      this.#expect()
      this.#tellRoom()
    }
    if (readable) this.#drain()
  }

  /** What is left is told again by the event loop, after others have had their turn. */
  #drain(): void {
    for (let count = 0; count < DATAGRAMS_A_TURN_MAX && this.#closed === undefined && !this.#paused; count++) {
      let received: Received | undefined
      try {
        received = this.#socket.receive()
      } catch (error) {
        return this.#failed(error)
      }
      this.#failures = 0
      if (received === undefined) return
      if (received.cut) this.#refuse(received.from)
      else this.#options.message(received.bytes, received.from)
    }
  }

  #refuse(from: string | undefined): void {
    const max = this.#options.datagramBytesMax
    this.#options.fault(new NetError('frame_too_large', `${nameOf(from)}: a datagram over the limit of ${max} bytes was dropped`))
  }

  /** The failure was told by reading it, so the next one is another; were it not so, the loop would turn for ever. */
  #failed(error: unknown): void {
    this.#failures++
    if (this.#failures >= FAILURES_MAX) this.close().catch((reason) => this.#options.fault(translate(reason, nameOf(this.address))))
    this.#options.fault(translate(error, nameOf(this.address)))
  }
}

/** Gives a name back. Called while the socket is open. */
type Release = () => Promise<void>

async function giveBack(socket: DatagramSocket, release: Release | undefined): Promise<void> {
  try {
    await release?.()
  } finally {
    socket.close()
  }
}

/** The peer at connecting is there no more, or has been found gone before. */
const PEER_GONE: ReadonlySet<string | undefined> = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOTCONN', 'EDESTADDRREQ'])

async function takeName(socket: DatagramSocket, address: string, mode: number): Promise<Release | undefined> {
  const name = nameOf(address)
  try {
    if (address.startsWith('@')) {
      socket.bind(address, mode)
      return undefined
    }
    // The name that a socket is bound by is the one that its peers see and answer to: it cannot be made elsewhere and moved here.
    await takePlace({ path: address, name, knock: () => knock(address) }, async () => socket.bind(address, mode))
    const ours = await lstat(address)
    return () => removeIfOurs(address, ours)
  } catch (error) {
    throw translate(error, name, 'address_unavailable')
  }
}

/** On Linux the kernel gives an abstract name, as open to all as any; elsewhere a file in a folder that shows its names to nobody. */
async function takeAnyName(socket: DatagramSocket): Promise<Release | undefined> {
  if (process.platform !== 'linux') return await takeTemporaryName(socket)
  socket.autobind()
  return undefined
}

/** For {@link takeAnyName}, and for tests on a platform that does without. */
export async function takeTemporaryName(socket: DatagramSocket): Promise<Release> {
  const folder = await mkdtemp(join(tmpdir(), 'tw-'))
  const release = (): Promise<void> => rm(folder, { recursive: true, force: true })
  try {
    await chmod(folder, 0o711)
    socket.bind(join(folder, 's'), 0o666)
    return release
  } catch (error) {
    await release()
    throw translate(error, nameOf(folder), 'address_unavailable')
  }
}

/** `bind()` makes the file a moment before the socket can be reached by it: a name is stale when it is refused a second time. */
async function knock(address: string): Promise<void> {
  try {
    return knockOnce(address)
  } catch (error) {
    if ((error as NetError).code !== 'connect_refused') throw error
  }
  await sleep(STALE_AFTER_MS)
  knockOnce(address)
}

function knockOnce(address: string): void {
  const visitor = new DatagramSocket(0)
  try {
    visitor.connect(address)
  } catch (error) {
    // EPERM: it is there, and takes datagrams from its own peer alone.
    if (errnoOf(error) === 'EPERM') throw new NetError('connect_failed', `${nameOf(address)}: it has a peer of its own`, error)
    throw translate(error, nameOf(address))
  } finally {
    visitor.close()
  }
}

function connect(socket: DatagramSocket, to: string): void {
  try {
    socket.connect(to)
  } catch (error) {
    throw translate(error, nameOf(to))
  }
}

/** The platform's errors as ours; a mistake in the program stays what it is. */
function translate(error: unknown, name: string, otherwise: NetErrorCode = 'connect_failed'): Error {
  const errno = errnoOf(error)
  if (errno === undefined) return error as Error
  if (errno === 'EMSGSIZE')
    return new NetError('frame_too_large', `${name}: larger than the system sends in one datagram (EMSGSIZE)`, error)
  return fromSystem(error, name, errno === 'ENOENT' && otherwise === 'connect_failed' ? 'connect_refused' : otherwise)
}

function errnoOf(error: unknown): string | undefined {
  const { code, syscall } = error as NodeJS.ErrnoException
  return syscall === undefined ? undefined : code
}

function nameOf(address: string | undefined): string {
  return `unixgram://${address ?? ''}`
}
