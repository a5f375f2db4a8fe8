import type { Service } from '../service.ts'

/**
 * The service that a module exports as its default, or that the function which it exports returns.
 * @throws (rejects) what the module throws, or TypeError when what it exports is no service.
 */
export async function loadService(module: string, data: unknown): Promise<Service<unknown>> {
  const { default: exported } = (await import(module)) as { readonly default?: unknown }
  if (exported === undefined) throw new TypeError(`${module} has no default export; it must be the service, or a function that returns it`)
  const made: unknown = typeof exported === 'function' ? await exported(data) : exported
  if (!isService(made)) {
    const what = typeof exported === 'function' ? 'what its default export returned' : 'its default export'
    throw new TypeError(`${module}: ${what} is no service; a service has a name, a framing and a function message`)
  }
  return made
}

function isService(value: unknown): value is Service<unknown> {
  if (typeof value !== 'object' || value === null) return false
  const { name, framing, message } = value as Partial<Record<keyof Service<unknown>, unknown>>
  return typeof name === 'string' && typeof framing === 'object' && framing !== null && typeof message === 'function'
}
