import { constants } from 'node:os'
import { NetError } from '../errors.ts'
import { type Native, native, systemError } from './native.ts'

/*
 * Tells when a descriptor can be read or written, from the event loop that Node itself waits in: libuv's `uv_poll`, which the node
 * binary exports for add-ons. Seen on Node 26.10: nothing runs while nothing comes, and thousands of descriptors cost no thread.
 * (Signal-driven I/O would coalesce and be the whole process's; a blocking read needs a thread, where ffi is not to be used.)
 *
 * What calls from C into JavaScript demand:
 * - The callback must not throw, that would abort the process; and no microtask or `nextTick` runs after it. So it only takes a note,
 *   and the owner is called from an immediate, which the loop runs right after polling.
 * - It must live as long as any handle: there is one for the whole process, never given back, and handles are told apart by address.
 * - A handle must outlive its closing: it lies in C's heap, and C's own `free` is the callback of its closing.
 * - It must not come when JavaScript is over. The end of a process does not turn the main loop again, with whatever waiting; the
 *   end of a worker does, and the process would abort: that is why a worker is refused.
 */

/** A descriptor that is watched. It asks for nothing until {@link expect}. */
export interface Watch {
  /** Which of the two to hear of, from now on. While there is at least one, the watch keeps the process alive. */
  expect(readable: boolean, writable: boolean): void
  /** No call comes after this. The descriptor may be closed at once. */
  close(): void
}

const UV_READABLE = 1
const UV_WRITABLE = 2
const UV_POLL = 8 // of uv_handle_type

interface Poller {
  readonly native: Native
  readonly loop: bigint
  readonly handleBytes: bigint
  readonly callback: bigint
}

const watches = new Map<bigint, PollWatch>()
let poller: Poller | undefined

/**
 * Watches a socket, which becomes non-blocking, and calls `ready` on a turn of its own, again and again while it is so. A
 * pending error counts as readable: reading brings it out.
 * @throws the platform's error, or NetError `unsupported`.
 */
export function watchDescriptor(fd: number, ready: (readable: boolean, writable: boolean) => void): Watch {
  poller ??= makePoller()
  return new PollWatch(poller, fd, ready)
}

function makePoller(): Poller {
  const made = native()
  const { c, ffi, library } = made
  if (ffi.toString(c.uv_handle_type_name(UV_POLL)) !== 'poll') throw new NetError('unsupported', 'this libuv numbers its handles otherwise')
  const callback = library.registerCallback({ arguments: ['pointer', 'i32', 'i32'], return: 'void' }, (handle, status, events) => {
    watches.get(handle as bigint)?.note(status, events)
  })
  return { native: made, loop: ffi.getCurrentEventLoop(), handleBytes: c.uv_handle_size(UV_POLL), callback }
}

class PollWatch implements Watch {
  readonly #poller: Poller
  readonly #handle: bigint
  readonly #ready: (readable: boolean, writable: boolean) => void
  #expected = 0
  #noted = 0
  #queued = false
  #stopped = false
  #closed = false

  constructor(from: Poller, fd: number, ready: (readable: boolean, writable: boolean) => void) {
    const { c } = from.native
    this.#poller = from
    this.#ready = ready
    this.#handle = c.calloc(1n, from.handleBytes)
    if (this.#handle === 0n) throw systemError('calloc', constants.errno.ENOMEM)
    const status = c.uv_poll_init(from.loop, this.#handle, fd)
    if (status < 0) {
      c.free(this.#handle)
      throw systemError('uv_poll_init', -status)
    }
    watches.set(this.#handle, this)
  }

  expect(readable: boolean, writable: boolean): void {
    const expected = (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0)
    if (this.#closed || expected === this.#expected) return
    this.#expected = expected
    this.#start()
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    watches.delete(this.#handle)
    const { c } = this.#poller.native
    c.uv_close(this.#handle, c.free.pointer)
  }

  /** Called from C: no throw, no work. */
  note(status: number, events: number): void {
    if (status < 0) this.#stopped = true // libuv stops watching at a pending error
    this.#noted |= status < 0 ? UV_READABLE : events
    if (this.#queued) return
    this.#queued = true
    setImmediate(() => this.#deliver())
  }

  #deliver(): void {
    const noted = this.#noted & (this.#stopped ? UV_READABLE : this.#expected)
    this.#noted = 0
    this.#queued = false
    if (this.#closed) return
    if (this.#stopped) {
      this.#stopped = false
      this.#start()
    }
    if (noted !== 0) this.#ready((noted & UV_READABLE) !== 0, (noted & UV_WRITABLE) !== 0)
  }

  #start(): void {
    const { c } = this.#poller.native
    const status =
      this.#expected === 0 ? c.uv_poll_stop(this.#handle) : c.uv_poll_start(this.#handle, this.#expected, this.#poller.callback)
    if (status < 0) throw systemError('uv_poll_start', -status)
  }
}
