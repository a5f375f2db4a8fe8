import { chmodSync, fchmodSync } from 'node:fs'
import { constants } from 'node:os'
import { closeDescriptor, openUnixSocket } from './descriptor.ts'
import { type Native, native, systemError } from './native.ts'
import { SOCK_DGRAM } from './platform.ts'
import { addressBytesMax, decodeAddress, encodeAddress, encodeNoAddress } from './socket-address.ts'

const { EAGAIN, ENOBUFS } = constants.errno

/**
 * What became of a datagram. `full`: the queue of the peer, or our own, has no room. `no_buffers`: the same as macOS says it, or the
 * system is short of memory; no readiness tells when that is over. Nothing was sent in either case.
 */
export type Sent = 'taken' | 'full' | 'no_buffers'

/** One datagram as it came. */
export interface Received {
  /** The bytes of it, a copy; at most the limit. */
  readonly bytes: Buffer
  /** Was it longer than the limit? Then the rest is lost. */
  readonly cut: boolean
  /** The sender's address, where it has one. */
  readonly from: string | undefined
}

/**
 * A Unix datagram socket: each method is one call of the system's, fails as Node's own modules do (`code`, `errno`, `syscall`),
 * and never blocks. Addresses are a path, or `@name` for an abstract one.
 */
export class DatagramSocket {
  /** For `watchDescriptor`. */
  readonly fd: number
  readonly #native: Native
  readonly #address: Buffer
  readonly #addressLength: Uint32Array = new Uint32Array(1)
  readonly #bytes: Buffer
  readonly #datagramBytesMax: number

  /**
   * @param datagramBytesMax what one datagram may hold, both ways; the buffers of a new socket are made to take two.
   * @param bound a socket that there is already, by its descriptor, which is this object's from now on. Others may hold descriptors of
   *   the same socket: each datagram comes to one of them, and an answer bears its one name, whoever sends it.
   * @throws the platform's error (EMFILE), or NetError `unsupported`.
   */
  constructor(datagramBytesMax: number, bound?: number) {
    this.#native = native()
    this.#datagramBytesMax = datagramBytesMax
    this.#address = Buffer.alloc(addressBytesMax(this.#native.platform) + 1)
    this.#bytes = Buffer.alloc(datagramBytesMax + 1) // one more than may come: so a longer one is noticed on every platform
    this.fd = bound ?? openUnixSocket(SOCK_DGRAM)
    if (bound !== undefined) return
    const { SO_SNDBUF, SO_RCVBUF } = this.#native.platform
    for (const option of [SO_SNDBUF, SO_RCVBUF]) this.#growBuffer(option, datagramBytesMax * 2)
  }

  /**
   * Takes a name; a socket keeps its first for life. The file of a path never has more rights than `mode`: anybody who can
   * reach it may send from that moment on. Linux makes it with the rights that the socket has; elsewhere the umask is set for the one call.
   */
  bind(address: string, mode: number): void {
    const length = encodeAddress(address, this.#address, this.#native.platform)
    if (address.startsWith('@')) return this.#bind(length, address)
    if (process.platform === 'linux') {
      fchmodSync(this.fd, mode)
      this.#bind(length, address)
      chmodSync(address, mode) // the umask may have taken some
      return
    }
    const before = process.umask(0o777 & ~mode)
    try {
      this.#bind(length, address)
    } finally {
      process.umask(before)
    }
  }

  /** Takes an abstract name of the kernel's choice, on Linux. */
  autobind(): void {
    this.#bind(encodeNoAddress(this.#address, this.#native.platform))
  }

  /** The name, if it has taken one. */
  get address(): string | undefined {
    const { c, errno, platform } = this.#native
    this.#addressLength[0] = this.#address.length
    if (c.getsockname(this.fd, this.#address, this.#addressLength) === -1) throw systemError('getsockname', errno())
    return decodeAddress(this.#address, this.#addressLength[0] as number, platform)
  }

  /** Names the peer: that of {@link send} without an address, and, on Linux, the only one that may send to us. */
  connect(address: string): void {
    const { c, errno, platform } = this.#native
    if (c.connect(this.fd, this.#address, encodeAddress(address, this.#address, platform)) === -1) {
      throw systemError('connect', errno(), address)
    }
  }

  /** Sends one datagram to the address, or to the connected peer. */
  send(bytes: Uint8Array, to?: string): Sent {
    const { c, errno, platform } = this.#native
    const length = BigInt(bytes.length)
    const flags = platform.MSG_DONTWAIT
    const count =
      to === undefined
        ? c.send(this.fd, bytes, length, flags)
        : c.sendto(this.fd, bytes, length, flags, this.#address, encodeAddress(to, this.#address, platform))
    if (count !== -1) return 'taken'
    const reason = errno()
    if (reason === EAGAIN) return 'full'
    if (reason === ENOBUFS) return 'no_buffers'
    throw systemError('sendto', reason, to)
  }

  /** The next datagram, or undefined when there is none now. */
  receive(): Received | undefined {
    const { c, errno, platform } = this.#native
    this.#addressLength[0] = this.#address.length
    const room = BigInt(this.#bytes.length)
    const count = c.recvfrom(this.fd, this.#bytes, room, platform.MSG_DONTWAIT, this.#address, this.#addressLength)
    if (count === -1) {
      const reason = errno()
      if (reason === EAGAIN) return undefined
      throw systemError('recvfrom', reason)
    }
    const cut = count > this.#datagramBytesMax
    return {
      bytes: Buffer.from(this.#bytes.subarray(0, cut ? this.#datagramBytesMax : count)),
      cut,
      from: decodeAddress(this.#address, this.#addressLength[0] as number, platform),
    }
  }

  /** Gives the descriptor back, once; its watch must be closed before. */
  close(): void {
    closeDescriptor(this.fd)
  }

  #bind(length: number, address?: string): void {
    const { c, errno } = this.#native
    if (c.bind(this.fd, this.#address, length) === -1) throw systemError('bind', errno(), address)
  }

  /** Linux's own are ample, macOS's hold 2 and 4 KiB. Where the system allows no more, a large datagram is refused when it is sent. */
  #growBuffer(option: number, bytes: number): void {
    const { c, platform } = this.#native
    const size = new Int32Array(1)
    const length = Uint32Array.of(size.byteLength)
    if (c.getsockopt(this.fd, platform.SOL_SOCKET, option, size, length) === -1 || (size[0] as number) >= bytes) return
    size[0] = bytes
    c.setsockopt(this.fd, platform.SOL_SOCKET, option, size, size.byteLength)
  }
}
