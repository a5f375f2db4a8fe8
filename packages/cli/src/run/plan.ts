import { parseEndpoint } from '@tillwire/net'
import { defaultEndpoints, isLoopback, SERVICES, type ServiceName, type ServiceSetup, serviceFrom } from '@tillwire/services'
import { EXIT, Failure } from '../failure.ts'
import { socketFolder } from './socket-folder.ts'

/** One service and where it shall listen. */
export interface Plan {
  readonly setup: ServiceSetup
  readonly endpoints: readonly string[]
  /** Nobody asked for just these endpoints. */
  readonly byDefault: boolean
}

/** What was asked for. */
export interface Wish {
  readonly name: ServiceName | 'all'
  readonly endpoints: readonly string[]
  readonly framing?: string | undefined
  readonly commands?: unknown
  readonly shell?: boolean | undefined
  readonly insecure?: boolean | undefined
  /** Clients over TLS must show a certificate. */
  readonly authenticated?: boolean | undefined
}

/** Every name that can be run. */
export const RUNNABLE: readonly (ServiceName | 'all')[] = [...(Object.keys(SERVICES) as ServiceName[]), 'all']

/** What is to be run, checked as far as it can be before anything listens. @throws Failure */
export function plansOf(wish: Wish): Plan[] {
  const { name, endpoints, framing } = wish
  if (name !== 'all') return [planOf(name, wish)]
  if (endpoints.length > 0) throw refused('all: every service listens on its default endpoints; name one service to choose')
  if (framing !== undefined) throw refused('all: every service has its own framing; name one service to choose')
  const { commands, shell, ...rest } = wish
  return (Object.keys(SERVICES) as ServiceName[]).map((one) => planOf(one, one === 'command' ? wish : rest))
}

function planOf(service: ServiceName, wish: Omit<Wish, 'name'>): Plan {
  const { framing, commands, shell } = wish
  const setup: ServiceSetup = { service, framing, commands, shell }
  try {
    serviceFrom(setup)
  } catch (error) {
    throw refused((error as Error).message)
  }
  const byDefault = wish.endpoints.length === 0
  const endpoints = byDefault ? defaultEndpoints(service, socketFolder()) : wish.endpoints
  for (const endpoint of endpoints) check(service, endpoint, wish)
  return { setup, endpoints, byDefault }
}

function check(service: ServiceName, text: string, { shell, insecure, authenticated }: Omit<Wish, 'name'>): void {
  const endpoint = parseEndpoint(text)
  const { carriers } = SERVICES[service]
  if (endpoint.transport !== 'fd' && !carriers.includes(endpoint.transport)) {
    throw refused(`${text}: ${service} is carried by ${carriers.join(', ')}, not by ${endpoint.transport}`)
  }
  if (service !== 'command' || 'path' in endpoint) return
  if ('host' in endpoint && isLoopback(endpoint.host)) return
  const reached = 'host' in endpoint ? 'can be reached from other machines' : 'says nothing of who can reach it'
  if (shell === true) throw refused(`${text} ${reached}; --shell is for loopback addresses and Unix sockets only`)
  if (authenticated === true && endpoint.transport === 'tls') return
  if (insecure !== true)
    throw refused(`${text} ${reached}, and command asks nobody who they are; take tls:// with --client-ca, or add --insecure`)
}

function refused(message: string): Failure {
  return new Failure(message, EXIT.usage)
}
