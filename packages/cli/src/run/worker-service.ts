import type { Service } from '@tillwire/net'
import { type ServiceSetup, serviceFrom } from '@tillwire/services'
import { openLog } from '../log.ts'
import { logConnections } from './connection-log.ts'

/** What `tillwire run` tells each of its threads and processes. */
export interface WorkerSetup {
  readonly setup: ServiceSetup
  readonly quiet: boolean
}

/** This module, for `serve` with threads or processes: its default export makes the service there. */
export const workerService: URL = new URL(import.meta.url)

export default async function make({ setup, quiet }: WorkerSetup): Promise<Service<never, unknown>> {
  if (!quiet) logConnections(await openLog())
  return serviceFrom(setup)
}
