/** The numbers of C's headers that differ between the two systems that this folder serves. */
export interface Platform {
  /** Set in the type of a new socket, where the system can: closed in children from its first moment on. */
  readonly SOCK_CLOEXEC: number
  readonly SOL_SOCKET: number
  readonly SO_TYPE: number
  readonly SO_ACCEPTCONN: number
  readonly SO_SNDBUF: number
  readonly SO_RCVBUF: number
  readonly MSG_DONTWAIT: number
  readonly AF_INET6: number
  /** The function that gives the address of the calling thread's `errno`. */
  readonly errnoLocation: string
  /** The BSDs' `sockaddr` begins with its own length, one byte, and keeps one for the family; Linux keeps two for the family. */
  readonly addressHasLength: boolean
  /** Bytes of `sockaddr_un.sun_path`. */
  readonly pathBytes: number
}

const LINUX: Platform = {
  SOCK_CLOEXEC: 0o2000000,
  SOL_SOCKET: 1,
  SO_TYPE: 3,
  SO_ACCEPTCONN: 30,
  SO_SNDBUF: 7,
  SO_RCVBUF: 8,
  MSG_DONTWAIT: 0x40,
  AF_INET6: 10,
  errnoLocation: '__errno_location',
  addressHasLength: false,
  pathBytes: 108,
}

const MACOS: Platform = {
  SOCK_CLOEXEC: 0,
  SOL_SOCKET: 0xffff,
  SO_TYPE: 0x1008,
  SO_ACCEPTCONN: 0x0002,
  SO_SNDBUF: 0x1001,
  SO_RCVBUF: 0x1002,
  MSG_DONTWAIT: 0x80,
  AF_INET6: 30,
  errnoLocation: '__error',
  addressHasLength: true,
  pathBytes: 104,
}

/** By `process.platform`. */
export const PLATFORMS: Readonly<Record<string, Platform>> = { linux: LINUX, darwin: MACOS }

export const AF_UNIX = 1
export const SOCK_STREAM = 1
export const SOCK_DGRAM = 2
