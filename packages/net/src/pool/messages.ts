import type { Counters } from '../counters.ts'
import type { ServeOptions } from '../server.ts'
import type { TlsServerOptions } from '../tls-keys.ts'
import type { ToldError } from './told-error.ts'

/**
 * What a pool and its workers say to each other. Each side has a bounded number of messages under way: one `ask` of a kind, one
 * `report` until it is `heard`, one `close` for each deadline that is nearer than the last; of a relay so many datagrams until they are `taken`, and
 * of their answers as many bytes as one socket may have waiting.
 */

/** The options that cross as they are; the others are code, or are for the pool alone. */
export type WorkerOptions = Omit<ServeOptions, 'transport' | 'clock' | 'onFault' | 'threads' | 'processes' | 'data'>

/** Where a worker listens: an endpoint of its own, or a socket that all of them share. */
export interface Place {
  readonly endpoint: string
  /** The place among the shared sockets. */
  readonly shared: number | undefined
}

/** What a worker needs to begin. */
export interface Start {
  readonly say: 'start'
  readonly module: string
  readonly data: unknown
  readonly places: readonly Place[]
  readonly options: WorkerOptions
}

/** What every worker can be asked for; the answer comes when it is done. */
export type Question = 'count' | 'idle' | 'suspend' | 'reloadTls'

/** From a pool to a worker. */
export type ToWorker =
  | Start
  | { readonly say: 'ask'; readonly question: Question; readonly keys?: TlsServerOptions | undefined }
  | { readonly say: 'close'; readonly within: number | undefined }
  /** The descriptor that the worker wanted; it is the worker's to close. */
  | { readonly say: 'descriptor'; readonly shared: number; readonly fd: number }
  | { readonly say: 'heard' }
  | FromRelay

/** From a worker to its pool. */
export type FromWorker =
  | { readonly say: 'ready'; readonly service: string }
  /** It could not begin. */
  | { readonly say: 'failed'; readonly error: ToldError }
  /** Of a thread: a duplicate of a shared socket's descriptor, please. */
  | { readonly say: 'wants'; readonly shared: number }
  | { readonly say: 'answer'; readonly question: Question; readonly counters: Counters }
  | ({ readonly say: 'report' } & News)
  /** It has stopped as it was told, and ends. */
  | ({ readonly say: 'closed' } & News)
  /** It ends without having been told to, perhaps for an error that nobody caught. */
  | ({ readonly say: 'dying'; readonly error: ToldError | undefined } & News)
  | ToRelay

/** From the relay of a shared datagram socket, `relay` being the socket's place, to a thread. */
export type FromRelay =
  /** One that came; without bytes, one that was over the limit. */
  | { readonly say: 'datagram'; readonly relay: number; readonly bytes: Uint8Array | undefined; readonly from: string | undefined }
  /** An answer has left, or cannot. */
  | { readonly say: 'sent'; readonly relay: number; readonly send: number; readonly error: ToldError | undefined }

/** From a thread to a relay. */
export type ToRelay =
  /** One datagram has been handed to its service. */
  | { readonly say: 'taken'; readonly relay: number }
  | { readonly say: 'reply'; readonly relay: number; readonly send: number; readonly bytes: Uint8Array; readonly to: string }
  /** An answer that has not left is not wanted any more. */
  | { readonly say: 'forget'; readonly relay: number; readonly send: number }

/** What has happened since the last report. */
export interface News {
  readonly counters: Counters
  readonly faults: readonly ToldError[]
  /** Faults beyond those that fitted. */
  readonly unsaid: number
}
