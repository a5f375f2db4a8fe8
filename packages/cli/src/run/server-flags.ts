import { DEFAULT_LIMITS, type Limits, limitsFrom, type ServeOptions } from '@tillwire/net'
import { type Command, InvalidArgumentError } from 'commander'
import { EXIT, Failure } from '../failure.ts'

/** What can be said of every server, whatever it serves. */
export interface ServerFlags {
  readonly limit?: Partial<Limits>
  readonly mode?: number
  readonly allow?: readonly string[]
  readonly deny?: readonly string[]
  readonly proxy?: readonly string[]
  readonly cert?: string
  readonly key?: string
  readonly clientCa?: string
}

/** Adds the options of {@link ServerFlags}. */
export function withServerFlags(command: Command): Command {
  return command
    .option('--limit <name=value>', 'a limit of the server, such as connectionsMax=100; may be given several times', limit)
    .option('--mode <octal>', 'rights of Unix socket files (default: 660)', mode)
    .option('--allow <address>', 'let only this address, or block such as 10.0.0.0/8, in; may be given several times', several)
    .option('--deny <address>', 'keep this address or block out; may be given several times', several)
    .option('--proxy <address>', 'take the PROXY header of this proxy; may be given several times', several)
    .option('--cert <file>', 'tls: the certificate, PEM')
    .option('--key <file>', 'tls: its key, PEM')
    .option('--client-ca <file>', 'tls: ask clients for a certificate of this authority')
}

/** The options of `serve` for these flags, on these endpoints. @throws Failure */
export function serveOptionsOf(flags: ServerFlags, endpoints: readonly string[]): ServeOptions {
  const { limit, mode, allow, deny, proxy, cert, key, clientCa } = flags
  const secure = endpoints.some((endpoint) => /^tls:/i.test(endpoint))
  const named = [cert, key, clientCa].some((one) => one !== undefined)
  if (named && !secure) throw new Failure('--cert, --key and --client-ca are for endpoints with tls://', EXIT.usage)
  if (secure && (cert === undefined || key === undefined)) throw new Failure('tls:// needs --cert and --key', EXIT.usage)
  const tls = secure && cert !== undefined && key !== undefined ? { cert, key, clientCa } : undefined
  return { limits: limit, mode, access: { allow, deny }, proxy, tls }
}

/** `--limit NAME=VALUE`: any row of the table of limits. */
function limit(text: string, earlier: Partial<Limits> | undefined): Partial<Limits> {
  const [, name, value] = /^(\w+)=(.*)$/.exec(text) ?? []
  if (name === undefined || value === undefined)
    throw new InvalidArgumentError(`it must be NAME=VALUE; the names: ${Object.keys(DEFAULT_LIMITS).join(', ')}`)
  // What Number() makes of anything else would hide what was written.
  if (!/^\d+$/.test(value)) throw new InvalidArgumentError(`limit ${name} must be a whole number, not "${value}"`)
  const limits = { ...earlier, [name]: Number(value) }
  try {
    limitsFrom(limits)
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message)
  }
  return limits
}

function mode(text: string): number {
  if (!/^[0-7]{3,4}$/.test(text)) throw new InvalidArgumentError('it must be rights in octal, such as 660')
  return Number.parseInt(text, 8)
}

function several(text: string, earlier: readonly string[] | undefined): readonly string[] {
  return [...(earlier ?? []), text]
}
