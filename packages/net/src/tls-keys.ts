import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import { NetError } from './errors.ts'

/** What both ends may say about themselves. Every key and certificate is PEM text, or the path of a PEM file. */
interface TlsOptions {
  /** What decrypts the key, when it is encrypted. */
  readonly passphrase?: string | undefined
  /** The oldest version that is spoken. Default `TLSv1.2`. */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3' | undefined
  /** Application protocols, the preferred one first (ALPN, RFC 7301). */
  readonly alpn?: readonly string[] | undefined
}

/** A server's side of TLS: plain data, so that it can cross to worker threads and processes. */
export interface TlsServerOptions extends TlsOptions {
  /** The server's certificate, and behind it those that lead to its authority. */
  readonly cert: string
  /** The key of the certificate. */
  readonly key: string
  /** The authorities of the clients' certificates. With it a client must show one of theirs (mutual TLS). */
  readonly clientCa?: string | undefined
  /** `optional` lets in a client that shows no certificate, too; one that shows a wrong one is refused all the same. Default `required`. */
  readonly clientCertificate?: 'required' | 'optional' | undefined
}

/** A client's side of TLS. */
export interface TlsClientOptions extends TlsOptions {
  /** The authorities that a server's certificate may come from. Default: those that Node brings along. */
  readonly ca?: string | undefined
  /** The client's own certificate, for servers that ask for one. */
  readonly cert?: string | undefined
  /** The key of the certificate. */
  readonly key?: string | undefined
  /** The name that the server's certificate must bear. Default: the endpoint's host. */
  readonly servername?: string | undefined
  /**
   * Talks to whoever answers, whatever certificate it shows: everybody on the way can read and change what is said. For
   * experiments. To trust a certificate that you have made yourself, give it as {@link TlsClientOptions.ca}.
   */
  readonly insecureTrustAnyServer?: true | undefined
}

/** A server's keys and certificates, read, parsed, and known to belong together. */
export interface ServerKeys {
  /** As the platform's `setSecureContext()` takes them. */
  readonly context: SecureContextOptions
  /** Whether clients must show a certificate. */
  readonly clients: 'required' | 'optional' | 'not asked'
  /** Application protocols, the preferred one first. */
  readonly alpn: readonly string[] | undefined
}

/** A client's part, read and parsed. */
export interface ClientKeys {
  readonly context: SecureContextOptions
}

/**
 * Reads a server's keys.
 * @throws (rejects) NetError `tls_keys_invalid` saying which one, or TypeError for options that make no sense
 */
export async function loadServerKeys(options: TlsServerOptions): Promise<ServerKeys> {
  if (options.cert === undefined || options.key === undefined) throw new TypeError('tls needs cert and key')
  const { clientCa, clientCertificate } = options
  if (clientCertificate !== undefined && clientCa === undefined) throw new TypeError('tls.clientCertificate needs tls.clientCa')
  if (!['required', 'optional', undefined].includes(clientCertificate)) {
    throw new TypeError(`tls.clientCertificate must be 'required' or 'optional', not ${JSON.stringify(clientCertificate)}`)
  }
  const context = await loadContext(options, clientCa, 'tls.clientCa')
  return { context, clients: clientCa === undefined ? 'not asked' : (clientCertificate ?? 'required'), alpn: options.alpn }
}

/**
 * A server's options with the texts of their files: what others are given who must all have the same.
 * @throws (rejects) as {@link loadServerKeys} does
 */
export async function readServerKeys(options: TlsServerOptions): Promise<TlsServerOptions> {
  const { cert, key, ca } = (await loadServerKeys(options)).context as { readonly cert: string; readonly key: string; readonly ca?: string }
  return { ...options, cert, key, ...(ca === undefined ? {} : { clientCa: ca }) }
}

/**
 * Reads a client's keys.
 * @throws (rejects) NetError `tls_keys_invalid` saying which one, or TypeError for options that make no sense
 */
export async function loadClientKeys(options: TlsClientOptions): Promise<ClientKeys> {
  if ((options.cert === undefined) !== (options.key === undefined)) throw new TypeError('tls needs cert and key together, or neither')
  return { context: await loadContext(options, options.ca, 'tls.ca') }
}

/** What the two sides have in common. */
interface Own extends TlsOptions {
  readonly cert?: string | undefined
  readonly key?: string | undefined
}

async function loadContext(own: Own, authorities: string | undefined, what: string): Promise<SecureContextOptions> {
  const { passphrase, minVersion = 'TLSv1.2' } = own
  if (minVersion !== 'TLSv1.2' && minVersion !== 'TLSv1.3')
    throw new TypeError(`tls.minVersion must be TLSv1.2 or TLSv1.3, not ${minVersion}`)
  const [cert, key, ca] = await Promise.all([pem(own.cert, 'tls.cert'), pem(own.key, 'tls.key'), pem(authorities, what)])
  if (ca !== undefined) parseCertificates(ca, what)
  if (cert !== undefined && key !== undefined) {
    const [first] = parseCertificates(cert, 'tls.cert')
    if (!(first as X509Certificate).checkPrivateKey(parseKey(key, passphrase))) {
      throw invalid('tls.key', 'it is not the key of the certificate tls.cert')
    }
  }
  const context: SecureContextOptions = {
    minVersion,
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(ca === undefined ? {} : { ca }),
    ...(passphrase === undefined ? {} : { passphrase }),
  }
  try {
    createSecureContext(context) // what OpenSSL itself does not take, a key that is too short for one
  } catch (error) {
    throw invalid('tls', (error as Error).message, error)
  }
  return context
}

/** The text of a PEM file, unless it is one already. */
async function pem(text: string | undefined, what: string): Promise<string | undefined> {
  if (text === undefined) return undefined
  if (typeof text !== 'string') throw new TypeError(`${what} must be PEM text or the path of a PEM file`)
  if (text.includes('-----BEGIN')) return text
  try {
    return await readFile(text, 'utf8')
  } catch (error) {
    throw invalid(what, `the file ${text} cannot be read (${(error as NodeJS.ErrnoException).code})`, error)
  }
}

function parseCertificates(text: string, what: string): X509Certificate[] {
  const blocks = text.match(/-----BEGIN (?:TRUSTED )?CERTIFICATE-----[\s\S]*?-----END (?:TRUSTED )?CERTIFICATE-----/g) ?? []
  if (blocks.length === 0) throw invalid(what, 'there is no certificate in it')
  return blocks.map((block, index) => {
    try {
      return new X509Certificate(block)
    } catch (error) {
      throw invalid(what, `its certificate number ${index + 1} cannot be parsed`, error)
    }
  })
}

function parseKey(text: string, passphrase: string | undefined): KeyObject {
  try {
    return createPrivateKey({ key: text, ...(passphrase === undefined ? {} : { passphrase }) })
  } catch (error) {
    if (passphrase === undefined && text.includes('ENCRYPTED'))
      throw invalid('tls.key', 'it is encrypted, and there is no tls.passphrase', error)
    throw invalid('tls.key', passphrase === undefined ? 'it cannot be parsed' : 'it cannot be parsed or decrypted', error)
  }
}

function invalid(what: string, why: string, cause?: unknown): NetError {
  return new NetError('tls_keys_invalid', `${what}: ${why}`, cause)
}
