import type { UnixgramEndpoint } from '../endpoint.ts'
import { NetError } from '../errors.ts'
import type { Transport } from './transport.ts'

/** Not built yet. */
export const unixgram: Transport<UnixgramEndpoint> = {
  dial: () => Promise.reject(new NetError('unsupported', 'unixgram')),
  listen: () => Promise.reject(new NetError('unsupported', 'unixgram')),
}
