import type { TlsEndpoint } from '../endpoint.ts'
import { NetError } from '../errors.ts'
import type { Transport } from './transport.ts'

/** Not built yet. */
export const tls: Transport<TlsEndpoint> = {
  dial: () => Promise.reject(new NetError('unsupported', 'tls')),
  listen: () => Promise.reject(new NetError('unsupported', 'tls')),
}
