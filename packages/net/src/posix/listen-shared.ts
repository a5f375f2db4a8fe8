import { chmodSync, unlinkSync } from 'node:fs'
import { closeDescriptor, openUnixSocket } from './descriptor.ts'
import { native, systemError } from './native.ts'
import { SOCK_STREAM } from './platform.ts'
import { addressBytesMax, encodeAddress } from './socket-address.ts'

/**
 * A Unix stream socket that listens and on which no event loop of Node's accepts, so that several can: threads, each on a
 * `duplicate()` by `server.listen({ fd })`, and child processes, which get it through `stdio`. Its file has its rights before anybody can connect.
 *
 * @param address a path, taken as it is, or `@name` for an abstract one.
 * @param backlog connections that wait in the kernel. A server that listens on the descriptor sets its own.
 * @param mode the rights of the file, such as 0o660; has no meaning for an abstract name.
 * @returns the descriptor, which the caller closes with `closeDescriptor()`; the file is the caller's to remove.
 * @throws the platform's error (EADDRINUSE, EACCES, ENOENT), or NetError `unsupported`, `path_too_long`.
 */
export function listenUnixShared(address: string, backlog: number, mode: number): number {
  const { c, errno, platform } = native()
  const name = Buffer.alloc(addressBytesMax(platform))
  const length = encodeAddress(address, name, platform)
  const fd = openUnixSocket(SOCK_STREAM)
  let made = false
  try {
    if (c.bind(fd, name, length) === -1) throw systemError('bind', errno(), address)
    made = !address.startsWith('@')
    if (made) chmodSync(address, mode)
    if (c.listen(fd, backlog) === -1) throw systemError('listen', errno(), address)
    return fd
  } catch (error) {
    if (made) unlinkSync(address)
    closeDescriptor(fd)
    throw error
  }
}
