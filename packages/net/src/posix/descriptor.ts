import { native, systemError } from './native.ts'
import { AF_UNIX } from './platform.ts'

const F_DUPFD_CLOEXEC = 1030 // Linux
const FIOCLEX = 0x20006601n // macOS

/**
 * A second descriptor of the same open file or socket, closed in children unless it is passed to one. Whoever takes it, by a
 * server's `listen({ fd })` in another thread for example, closes it; the first stays open, and with it the socket.
 * @throws the platform's error (EBADF, EMFILE), or NetError `unsupported`.
 */
export function duplicate(fd: number): number {
  const { c, errno, platform } = native()
  if (platform.SOCK_CLOEXEC !== 0) {
    const made = c.fcntl(fd, F_DUPFD_CLOEXEC, 0)
    return made === -1 ? fail('fcntl', errno()) : made
  }
  const made = c.dup(fd)
  if (made === -1) return fail('dup', errno())
  closeInChildren(made)
  return made
}

/**
 * Closes a descriptor that nothing of Node's owns.
 * @throws the platform's error (EBADF), or NetError `unsupported`.
 */
export function closeDescriptor(fd: number): void {
  const { c, errno } = native()
  if (c.close(fd) === -1) fail('close', errno())
}

/** A new Unix socket that is closed in children. */
export function openUnixSocket(type: number): number {
  const { c, errno, platform } = native()
  const fd = c.socket(AF_UNIX, type | platform.SOCK_CLOEXEC, 0)
  if (fd === -1) return fail('socket', errno())
  if (platform.SOCK_CLOEXEC === 0) closeInChildren(fd)
  return fd
}

/** Apple's arm64 passes the third argument of `fcntl` and `ioctl` otherwise than other arguments; this request has none. */
function closeInChildren(fd: number): void {
  const { c, errno } = native()
  if (c.ioctl(fd, FIOCLEX) !== -1) return
  const reason = errno()
  c.close(fd)
  fail('ioctl', reason)
}

function fail(syscall: string, errno: number): never {
  throw systemError(syscall, errno)
}
