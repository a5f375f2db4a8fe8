import { checkService } from '../checks.ts'
import type { Service } from '../service.ts'

/**
 * The service that a module exports as its default, or that the function which it exports returns.
 * @throws (rejects) what the module throws, or TypeError when what it exports is no service.
 */
export async function loadService(module: string, data: unknown): Promise<Service<unknown>> {
  const { default: exported } = (await import(module)) as { readonly default?: unknown }
  if (exported === undefined) throw new TypeError(`${module} has no default export; it must be the service, or a function that returns it`)
  const made: unknown = typeof exported === 'function' ? await exported(data) : exported
  checkService(made, `${module}: ${typeof exported === 'function' ? 'what its default export returned' : 'its default export'}`)
  return made
}
