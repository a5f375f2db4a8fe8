import type * as Ffi from 'node:ffi'
import { getSystemErrorMessage, getSystemErrorName } from 'node:util'
import { isMainThread } from 'node:worker_threads'
import { NetError } from '../errors.ts'
import { PLATFORMS, type Platform } from './platform.ts'

/**
 * {@link CFunctions} as the system has them. A `ssize_t` comes back as `i32`: it is -1 or at most a datagram's size, and a BigInt would have to be
 * allocated between the call and the reading of `errno`.
 */
const FUNCTIONS = {
  socket: { arguments: ['i32', 'i32', 'i32'], return: 'i32' },
  bind: { arguments: ['i32', 'buffer', 'u32'], return: 'i32' },
  connect: { arguments: ['i32', 'buffer', 'u32'], return: 'i32' },
  listen: { arguments: ['i32', 'i32'], return: 'i32' },
  getsockname: { arguments: ['i32', 'buffer', 'buffer'], return: 'i32' },
  getsockopt: { arguments: ['i32', 'i32', 'i32', 'buffer', 'buffer'], return: 'i32' },
  setsockopt: { arguments: ['i32', 'i32', 'i32', 'buffer', 'u32'], return: 'i32' },
  send: { arguments: ['i32', 'buffer', 'u64', 'i32'], return: 'i32' },
  sendto: { arguments: ['i32', 'buffer', 'u64', 'i32', 'buffer', 'u32'], return: 'i32' },
  recvfrom: { arguments: ['i32', 'buffer', 'u64', 'i32', 'buffer', 'buffer'], return: 'i32' },
  dup: { arguments: ['i32'], return: 'i32' },
  close: { arguments: ['i32'], return: 'i32' },
  fcntl: { arguments: ['i32', 'i32', 'i32'], return: 'i32' },
  ioctl: { arguments: ['i32', 'u64'], return: 'i32' },
  calloc: { arguments: ['u64', 'u64'], return: 'pointer' },
  free: { arguments: ['pointer'], return: 'void' },
  // libuv's own, which the node binary exports for add-ons.
  uv_handle_size: { arguments: ['i32'], return: 'u64' },
  uv_handle_type_name: { arguments: ['i32'], return: 'pointer' },
  uv_poll_init: { arguments: ['pointer', 'pointer', 'i32'], return: 'i32' },
  uv_poll_start: { arguments: ['pointer', 'i32', 'pointer'], return: 'i32' },
  uv_poll_stop: { arguments: ['pointer'], return: 'i32' },
  uv_close: { arguments: ['pointer', 'pointer'], return: 'void' },
} as const satisfies Ffi.FunctionDefinitions

type Bytes = NodeJS.ArrayBufferView
/** Calls of C's and of libuv's. C's answer -1 at a failure, and {@link Native.errno} why; libuv's answer the negated reason. */
interface CFunctions {
  socket(family: number, type: number, protocol: number): number
  bind(fd: number, address: Bytes, length: number): number
  connect(fd: number, address: Bytes, length: number): number
  listen(fd: number, backlog: number): number
  getsockname(fd: number, address: Bytes, length: Bytes): number
  getsockopt(fd: number, level: number, option: number, value: Bytes, length: Bytes): number
  setsockopt(fd: number, level: number, option: number, value: Bytes, length: number): number
  send(fd: number, bytes: Bytes, length: bigint, flags: number): number
  sendto(fd: number, bytes: Bytes, length: bigint, flags: number, address: Bytes, addressLength: number): number
  recvfrom(fd: number, bytes: Bytes, length: bigint, flags: number, address: Bytes, addressLength: Bytes): number
  dup(fd: number): number
  close(fd: number): number
  fcntl(fd: number, command: number, argument: number): number
  ioctl(fd: number, request: bigint): number
  calloc(count: bigint, bytes: bigint): bigint
  readonly free: { (memory: bigint): void; readonly pointer: bigint }
  uv_handle_size(type: number): bigint
  uv_handle_type_name(type: number): bigint
  uv_poll_init(loop: bigint, handle: bigint, fd: number): number
  uv_poll_start(handle: bigint, events: number, callback: bigint): number
  uv_poll_stop(handle: bigint): number
  uv_close(handle: bigint, closed: bigint): void
}

/** What the process can do beyond Node's own API. */
export interface Native {
  readonly platform: Platform
  readonly ffi: typeof Ffi
  readonly library: Ffi.DynamicLibrary
  readonly c: CFunctions
  /** The error of the C call just made. Nothing may stand between the two. */
  errno(): number
}

let loaded: Native | undefined

/**
 * Loads it on first use, so that a program that needs none of this never touches ffi.
 * @throws NetError `unsupported` with the reason.
 */
export function native(): Native {
  loaded ??= load()
  return loaded
}

function load(): Native {
  const platform = PLATFORMS[process.platform]
  if (platform === undefined) throw unsupported(`it is made for Linux and macOS, not for ${process.platform}`)
  // A worker can be terminated at any moment, and its event loop then runs on without its JavaScript: a callback aborts the process.
  if (!isMainThread) throw unsupported('it works in the main thread only')
  try {
    const ffi = withoutFfiWarning(() => process.getBuiltinModule('node:ffi'))
    if (ffi === undefined) throw unsupported('node:ffi is switched off or missing; it needs Node 26.6 without --no-experimental-ffi')
    if (ffi.getCurrentEventLoop === undefined) throw unsupported(`it needs Node 26.6, this is ${process.version}`)
    const { lib: library, functions: c } = ffi.dlopen(null, FUNCTIONS)
    const location = library.getFunction(platform.errnoLocation, { arguments: [], return: 'pointer' })() // one place for the thread's life
    return { platform, ffi, library, c, errno: () => ffi.getInt32(location, 0) }
  } catch (error) {
    if (error instanceof NetError) throw error
    const denied = (error as NodeJS.ErrnoException).code === 'ERR_ACCESS_DENIED'
    throw unsupported(denied ? 'the permission model forbids node:ffi; --allow-ffi allows it' : (error as Error).message, error)
  }
}

function unsupported(why: string, cause?: unknown): NetError {
  return new NetError('unsupported', `this needs the operating system beyond what Node offers: ${why}`, cause)
}

/**
 * Loading ffi makes Node print, once, that it is experimental: true, and nothing that somebody who starts a server could act on.
 * That one warning is left out, for the length of this one synchronous call; every other passes.
 */
function withoutFfiWarning<T>(load: () => T): T {
  const { emitWarning } = process
  process.emitWarning = ((warning: string | Error, ...rest: unknown[]) => {
    if (rest[0] === 'ExperimentalWarning' && String(warning).startsWith('FFI ')) return
    Reflect.apply(emitWarning, process, [warning, ...rest])
  }) as typeof emitWarning
  try {
    return load()
  } finally {
    process.emitWarning = emitWarning
  }
}

/** A failed call as Node's own modules report one: `code`, `errno` and `syscall`. `errno` is C's, above 0. */
export function systemError(syscall: string, errno: number, about = ''): NodeJS.ErrnoException {
  const code = getSystemErrorName(-errno)
  const message = `${code}: ${getSystemErrorMessage(-errno)}, ${syscall}${about === '' ? '' : ` ${about}`}`
  return Object.assign(new Error(message), { code, errno: -errno, syscall })
}
