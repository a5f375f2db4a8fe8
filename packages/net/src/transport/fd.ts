import type { FdEndpoint } from '../endpoint.ts'
import { NetError } from '../errors.ts'
import type { Transport } from './transport.ts'

/** Not built yet. */
export const fd: Transport<FdEndpoint> = {
  dial: () => Promise.reject(new NetError('unsupported', 'fd')),
  listen: () => Promise.reject(new NetError('unsupported', 'fd')),
}
