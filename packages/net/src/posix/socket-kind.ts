import { native, systemError } from './native.ts'
import { AF_UNIX, SOCK_DGRAM, SOCK_STREAM } from './platform.ts'

/** What kind of socket a descriptor is. */
export interface SocketKind {
  readonly family: 'ipv4' | 'ipv6' | 'unix' | 'other'
  readonly type: 'stream' | 'datagram' | 'other'
  /** Connections can be accepted on it. */
  readonly listening: boolean
}

const AF_INET = 2
/** `struct sockaddr_storage`. */
const ADDRESS_BYTES = 128

/**
 * Asks the kernel of a descriptor.
 * @throws the platform's error (EBADF, ENOTSOCK), or NetError `unsupported`.
 */
export function socketKind(fd: number): SocketKind {
  const { c, errno, platform } = native()
  const option = (number: number): number => {
    const value = new Int32Array(1)
    if (c.getsockopt(fd, platform.SOL_SOCKET, number, value, Int32Array.of(value.byteLength)) === -1)
      throw systemError('getsockopt', errno())
    return value[0] as number
  }
  const address = Buffer.alloc(ADDRESS_BYTES)
  if (c.getsockname(fd, address, Int32Array.of(ADDRESS_BYTES)) === -1) throw systemError('getsockname', errno())
  const family = platform.addressHasLength ? (address[1] as number) : (new Uint16Array(address.buffer, address.byteOffset, 1)[0] as number)
  const families: Readonly<Record<number, SocketKind['family']>> = { [AF_UNIX]: 'unix', [AF_INET]: 'ipv4', [platform.AF_INET6]: 'ipv6' }
  const types: Readonly<Record<number, SocketKind['type']>> = { [SOCK_STREAM]: 'stream', [SOCK_DGRAM]: 'datagram' }
  return {
    family: families[family] ?? 'other',
    type: types[option(platform.SO_TYPE)] ?? 'other',
    listening: option(platform.SO_ACCEPTCONN) !== 0,
  }
}
