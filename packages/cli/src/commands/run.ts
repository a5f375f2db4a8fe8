import { userInfo } from 'node:os'
import { NetError, type ServeOptions, type Server, serve } from '@tillwire/net'
import { FRAMING_NAMES, SERVICES, type ServiceName, serviceFrom } from '@tillwire/services'
import { Argument, Command, InvalidArgumentError, Option } from 'commander'
import type { Logger } from 'pino'
import { EXIT, Failure, oneLine } from '../failure.ts'
import { openLog } from '../log.ts'
import { endpoints } from '../options.ts'
import { readCommandFile } from '../run/command-file.ts'
import { logConnections } from '../run/connection-log.ts'
import { type Plan, plansOf, RUNNABLE } from '../run/plan.ts'
import { type ServerFlags, serveOptionsOf, withServerFlags } from '../run/server-flags.ts'
import { makeSocketFolder, socketFolder } from '../run/socket-folder.ts'
import { type WorkerSetup, workerService } from '../run/worker-service.ts'
import { fired, stopSignal } from '../stop-signal.ts'

interface RunFlags extends ServerFlags {
  readonly framing?: string
  readonly commands?: string
  readonly shell?: boolean
  readonly insecure?: boolean
  readonly quiet?: boolean
  readonly threads?: number
  readonly processes?: number
}

/** `tillwire run` */
export function runCommand(): Command {
  const command = new Command('run')
    .description('Run one of the small services, or all of them.')
    .addArgument(new Argument('<service>', 'which one').choices(RUNNABLE))
    .argument('[endpoint...]', "where it listens (default: the service's own endpoints, on this machine only)", endpoints)
    .addOption(new Option('-f, --framing <name>', 'what a message is, where the service leaves it open').choices(FRAMING_NAMES))
    .option('--commands <file>', 'command: what may be run, as TOML or JSON')
    .addOption(new Option('--shell', 'command: give every line to the shell as it is; on loopback or a Unix socket').conflicts('commands'))
    .option('--insecure', 'command: listen on addresses of other machines too')
    .option('--threads <n>', 'serve in so many threads', workers)
    .addOption(new Option('--processes <n>', 'serve in so many processes').argParser(workers).conflicts('threads'))
    .option('-q, --quiet', 'no line for each connection')
  return withServerFlags(command).addHelpText('after', HELP).action(run)
}

const HELP = `
Services, and where they listen unless told otherwise (sockets in ${socketFolder()}):
${Object.entries(SERVICES)
  .map(([name, { summary, port, udpPort = port, defaults }]) => {
    const where = defaults.map((carrier) => ({ tcp: `tcp ${port}`, udp: `udp ${udpPort}`, unix: 'unix', unixgram: 'unixgram' })[carrier])
    return `  ${name.padEnd(10)} ${summary.padEnd(38)} ${where.join(', ')}`
  })
  .join('\n')}

It prints "SERVICE listening on ENDPOINT" for each endpoint, and stops on SIGINT or SIGTERM: what came in is answered first.
SIGHUP reads the files of --cert, --key and --client-ca again; connections stay.
The log goes to stderr: for people on a terminal, JSON lines elsewhere.

A file of --commands names what peers may run; no shell reads it, nor what they say:
  [commands.disk]
  run = ["df", "-h"]
  [commands.lookup]
  run = ["getent", "hosts"]
  arguments = [{ pattern = '[a-z0-9.\\-]+' }]  also: oneOf, optional, dash (may begin with one)
  timeoutMs = 5000                             also: outputBytesMax, folder, environment, errors = "drop",
                                               whenClientEnds = "kill" (a client that pipes its lines in ends too)`

async function run(name: ServiceName | 'all', listen: readonly string[] | undefined, flags: RunFlags): Promise<void> {
  const { framing, shell, insecure, quiet = false, threads, processes } = flags
  const commands = flags.commands === undefined ? undefined : readCommandFile(flags.commands)
  const authenticated = flags.clientCa !== undefined
  const plans = plansOf({ name, endpoints: listen ?? [], framing, commands, shell, insecure, authenticated })
  const all = plans.flatMap((plan) => plan.endpoints)
  const serving = serveOptionsOf(flags, all)
  const stop = stopSignal(true)
  const log = await openLog()
  if (!quiet && threads === undefined && processes === undefined) logConnections(log)
  const options: ServeOptions = {
    ...serving,
    threads,
    processes,
    onFault: (error) => log.error({ error: oneLine(error) }, 'fault'),
  }
  await using servers = new AsyncDisposableStack()
  const running: Server[] = []
  for (const plan of plans) {
    if (stop.aborted) break
    const server = servers.use(await start(plan, options, quiet, log))
    running.push(server)
    for (const endpoint of server.endpoints) process.stdout.write(`${plan.setup.service} listening on ${endpoint}\n`)
    if (plan.setup.shell === true) {
      log.warn(`--shell: whoever can connect to ${server.endpoints.join(' or ')} can do all that ${userInfo().username} can do`)
    }
  }
  if (options.tls !== undefined) process.on('SIGHUP', () => reload(running, log))
  await fired(stop)
  if (!quiet) log.info('stopping')
  process.exitCode = EXIT.ok
}

/** New certificates for connections that come from now on. */
function reload(servers: readonly Server[], log: Logger): void {
  for (const server of servers) {
    server.reloadTls().then(
      () => log.info('certificates read again'),
      (error) => log.error(`the certificates stay as they are: ${oneLine(error)}`),
    )
  }
}

async function start(plan: Plan, options: ServeOptions, quiet: boolean, log: Logger): Promise<Server> {
  const { setup, endpoints, byDefault } = plan
  if (byDefault && endpoints.some((endpoint) => endpoint.startsWith('unix'))) makeSocketFolder(socketFolder())
  try {
    if (options.threads === undefined && options.processes === undefined) return await serve(serviceFrom(setup), endpoints, options)
    const data: WorkerSetup = { setup, quiet }
    return await serve(workerService, endpoints, { ...options, data })
  } catch (error) {
    // An entry of a list that is no address, or too many workers.
    if (error instanceof TypeError || error instanceof RangeError) throw new Failure(oneLine(error), EXIT.usage)
    if (!(error instanceof NetError)) throw error
    const rest = endpoints.filter((endpoint) => !endpoint.startsWith('unixgram:'))
    if (error.code !== 'unsupported' || !byDefault || rest.length === endpoints.length) {
      throw new Failure(`${setup.service} cannot listen: ${error.message}`)
    }
    log.warn({ service: setup.service }, `without its Unix datagram socket, which cannot be had: ${oneLine(error)}`)
    return start({ ...plan, endpoints: rest }, options, quiet, log)
  }
}

function workers(text: string): number {
  if (!/^[1-9]\d{0,4}$/.test(text)) throw new InvalidArgumentError('it must be a whole number from 1')
  return Number(text)
}
