import type { Clock } from '../clock.ts'
import type { Endpoint } from '../endpoint.ts'
import type { NetErrorCode } from '../errors.ts'
import type { Limits } from '../limits.ts'
import type { ServerKeys, TlsClientOptions } from '../tls-keys.ts'

/** What a link tells its owner. Every call happens on a turn of its own, never inside a call of the owner's. */
export interface LinkEvents {
  /** Bytes came; the chunk is given away. */
  data(chunk: Buffer): void
  /** Bytes that were unsent after a write have left; perhaps not all. What leaves at once is not told. */
  progressed(): void
  /** The peer has ended its direction. */
  ended(): void
  /** The last event: the link is gone, with the platform's error if there was one. */
  closed(error: Error | undefined): void
}

/** What carries a connection, as its endpoint names it. */
export type Carrier = Exclude<Endpoint['transport'], 'fd'>

/** What a TLS handshake has told. */
export interface TlsFacts {
  /** True when the peer showed a certificate and it was verified. */
  readonly authorized: boolean
  /** `TLSv1.3` or `TLSv1.2`. */
  readonly protocol: string
  /** The application protocol that both sides agreed on (ALPN, RFC 7301); undefined when there is none. */
  readonly alpn: string | undefined
  /** The host that the client asked for (SNI); undefined when it named none. */
  readonly servername: string | undefined
  /** The peer's certificate; undefined when it showed none. Unless {@link TlsFacts.authorized}, anybody can have written it. */
  readonly certificate: TlsCertificate | undefined
}

/** A certificate, as far as a service wants to know its peer. */
export interface TlsCertificate {
  /** The common name of its subject; undefined when it has none. */
  readonly commonName: string | undefined
  /** The whole subject, one part a line: `O=A chain`, `CN=till 7`. */
  readonly subject: string
  /** Its SHA-256 fingerprint, as `AB:CD:…`. */
  readonly fingerprint: string
}

/**
 * The way to one peer and back: a socket, one exchange of datagrams, or memory. A stream of bytes, unless {@link datagrams} says
 * that each write and each `data` event is one datagram. Starts paused.
 */
export interface Link {
  /** What carries it. */
  readonly carrier: Carrier
  /** True where each write and each `data` event is one datagram. */
  readonly datagrams: boolean
  /** Who is at the other end, as `host:port`, or the path of a Unix socket. */
  readonly peer: string
  /** The address alone, for limits per address; empty where the transport has none. */
  readonly address: string
  /** What its TLS handshake has told; undefined where there was none. */
  readonly tls?: TlsFacts | undefined
  /** Bytes that were given to {@link write} and have not left yet. */
  readonly unsent: number
  /**
   * Bytes of the write under way that the kernel has not taken. Unlike {@link unsent} it shrinks while one large write goes out
   * piece by piece, and it costs more to ask.
   */
  readonly underWay: number
  /** Names the owner and begins to read, unless {@link pause} was called before. */
  open(events: LinkEvents): void
  /** Takes bytes; they must not change while `unsent` is above 0. */
  write(bytes: Buffer): void
  /** Stops reading; what was read already may still come. Does nothing to datagrams. */
  pause(): void
  /** Reads on. */
  resume(): void
  /** Ends our direction after everything written. */
  end(): void
  /** Drops the link at once. */
  destroy(): void
}

/** Something that takes connections. */
export interface Listener {
  /** The endpoint as bound: the port that the system chose stands in it. */
  readonly endpoint: Endpoint
  /** Stops taking connections and gives the address back. Connections that were taken stay. */
  close(): Promise<void>
  /** Shows these keys to connections that come from now on. Where there are keys only. */
  useKeys?(keys: ServerKeys): void
}

/** How to dial. */
export interface DialOptions {
  /** Ends the attempt; the dial rejects with `aborted`. */
  readonly signal?: AbortSignal | undefined
  /** All of them, defaults included. */
  readonly limits: Limits
  /** Where time comes from. */
  readonly clock: Clock
  /** For `tls://`: whom to trust, and who we are. */
  readonly tls?: TlsClientOptions | undefined
}

/** How to listen. */
export interface ListenOptions {
  /** All of them, defaults included. */
  readonly limits: Limits
  /** Where time comes from. */
  readonly clock: Clock
  /** Rights of a Unix socket's file, such as 0o660. */
  readonly mode: number
  /** Others may listen on the same host and port too; the kernel spreads the peers over all of them. */
  readonly reusePort: boolean
  /** May this address talk to us? Asked before anything is read of it; who may not is dropped and told to {@link refused}. */
  admits(address: string): boolean
  /**
   * Is this the address of a proxy, whose connections begin with a PROXY header? With it, nobody else is let in. Asked before anything is
   * read; {@link admits} is asked for the address in the header then.
   */
  readonly trusts?: ((address: string) => boolean) | undefined
  /** For `tls://`: what to show to clients, and what to ask of them. */
  readonly keys?: ServerKeys | undefined
  /**
   * Takes a place for a socket that has a PROXY header or a TLS handshake before it: what this returns gives the place back, or says
   * why there is none.
   */
  arrive?(address: string): (() => void) | NetErrorCode
  /** A connection has been made, or a datagram has come. */
  accept(link: Link): void
  /** A peer that did not become a connection, or a datagram that was dropped, and why. */
  refused(code: NetErrorCode, peer: string): void
  /** Accepting failed after it had begun; the listener goes on. */
  fault(error: Error): void
}

/** A carrier of byte streams. A value that is passed, never a setting of the module. */
export interface Transport<E extends Endpoint = Endpoint> {
  /** @throws (rejects) NetError `connect_refused`, `connect_timeout`, `connect_failed`, `address_unavailable`, `tls_failed` or `aborted`. */
  dial(endpoint: E, options: DialOptions): Promise<Link>
  /** @throws (rejects) NetError `address_in_use`, `address_unavailable` or `permission_denied`. */
  listen(endpoint: E, options: ListenOptions): Promise<Listener>
}
