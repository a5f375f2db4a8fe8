import { type Endpoint, formatEndpoint } from '../endpoint.ts'
import { NetError } from '../errors.ts'

const PORT_FIRST = 49_152
const PORT_LAST = 65_535
const ANY_HOST = ['0.0.0.0', '::']

/** Who listens where. */
export class MemoryPlaces<Listener> {
  readonly #listeners = new Map<string, Listener>()
  #port = PORT_FIRST

  /** Takes an endpoint; port 0 gets a number. @throws NetError `address_in_use` */
  take(endpoint: Endpoint, listener: (bound: Endpoint) => Listener): Endpoint {
    const bound = 'port' in endpoint && endpoint.port === 0 ? this.#numbered(endpoint) : endpoint
    const name = formatEndpoint(bound)
    if (this.#listeners.has(name)) throw new NetError('address_in_use', `${name}: somebody already listens on the endpoint`)
    this.#listeners.set(name, listener(bound))
    return bound
  }

  free(bound: Endpoint): void {
    this.#listeners.delete(formatEndpoint(bound))
  }

  /** Who answers at an endpoint: a listener on it, or on every address of its port. */
  find(endpoint: Endpoint): Listener | undefined {
    const own = this.#listeners.get(formatEndpoint(endpoint))
    if (own !== undefined || !('host' in endpoint)) return own
    return ANY_HOST.map((host) => this.#listeners.get(formatEndpoint({ ...endpoint, host }))).find((listener) => listener !== undefined)
  }

  /** A port for who dials. */
  anyPort(): number {
    const port = this.#port
    this.#port = port === PORT_LAST ? PORT_FIRST : port + 1
    return port
  }

  #numbered<E extends Endpoint>(endpoint: E): E {
    for (let tried = PORT_FIRST; tried <= PORT_LAST; tried++) {
      const numbered = { ...endpoint, port: this.anyPort() }
      if (this.find(numbered) === undefined) return numbered
    }
    throw new NetError('address_in_use', `${formatEndpoint(endpoint)}: every port is taken`)
  }
}
