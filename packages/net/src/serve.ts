import { checkNames, checkService } from './checks.ts'
import { loadService, servePool } from './pool/index.ts'
import { type ServeOptions, type Server, serveLoop } from './server.ts'
import type { Service } from './service.ts'

/**
 * Runs a service on one or more endpoints. Either all of them listen or none.
 *
 * @param service - the service itself, or its module: a URL or the text of one, as in `new URL('./shout.ts', import.meta.url)`.
 *   The module's default export is the service, or a function that is called with `options.data` and returns one, or a promise
 *   of one. Threads and processes need a module, for a service is code, and code does not cross.
 * @throws (rejects) TypeError for what is no service, an option that there is not, options that do not go together, an entry of a list that is no address, `tls://` without keys, keys
 *   without `tls://`; RangeError for a limit or a number of workers that is none.
 * @throws (rejects) NetError `endpoint_invalid`, `path_too_long`, `unsupported`, `address_in_use`, `address_unavailable`,
 *   `permission_denied`, `tls_keys_invalid`, or `worker_lost` when a thread or process ends before it listens; or what the module threw.
 */
export async function serve<In, Out, State>(
  service: Service<In, Out, State> | URL | string,
  endpoints: string | readonly string[],
  options: ServeOptions = {},
): Promise<Server> {
  checkNames(options, 'the options of serve()', OPTIONS)
  const { threads, processes, data } = options
  const places = typeof endpoints === 'string' ? [endpoints] : endpoints
  if (places.length === 0) throw new TypeError('serve() needs at least one endpoint')
  const module = moduleOf(service)
  if (threads !== undefined && processes !== undefined) throw new TypeError('serve() takes threads or processes, not both')
  if (module === undefined) {
    const needing = threads !== undefined ? 'threads' : processes !== undefined ? 'processes' : data !== undefined ? 'data' : undefined
    if (needing !== undefined) {
      throw new TypeError(
        `serve() with ${needing} takes the URL of the module that exports the service, for a service itself, being code, cannot be sent there`,
      )
    }
    checkService(service, 'the first argument of serve()')
    return await serveLoop(service as Service<In, Out, State>, places, options)
  }
  if (threads !== undefined) return await servePool(module, places, 'threads', threads, options)
  if (processes !== undefined) return await servePool(module, places, 'processes', processes, options)
  return await serveLoop(await loadService(module, structuredClone(data)), places, options)
}

const OPTIONS: Readonly<Record<keyof ServeOptions, true>> = {
  limits: true,
  threads: true,
  processes: true,
  data: true,
  tls: true,
  access: true,
  proxy: true,
  mode: true,
  reusePort: true,
  onFault: true,
  transport: true,
  clock: true,
}

function moduleOf(service: unknown): string | undefined {
  if (!(service instanceof URL) && typeof service !== 'string') return undefined
  if (!URL.canParse(service)) {
    throw new TypeError(
      `serve() takes a service, or its module as a URL, not "${service}"; for a file write new URL('${service}', import.meta.url)`,
    )
  }
  const { href, protocol } = new URL(service)
  if (protocol !== 'file:') throw new TypeError(`a service's module is a file: URL, not ${href}`)
  return href
}
