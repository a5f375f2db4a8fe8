import { flushCompileCache } from 'node:module'
import { join } from 'node:path'
import { parseEndpoint } from '@tillwire/net'
import { isLoopback } from '@tillwire/services'
import { type ServerReport, StockServer } from '@tillwire/stock'
import { Command } from 'commander'
import type { Logger } from 'pino'
import { EXIT, Failure, oneLine } from '../failure.ts'
import { openLog } from '../log.ts'
import { DEFAULT_ENDPOINT, stockListens } from '../options.ts'
import { type RunningSample, runSample } from '../sample/index.ts'
import { fired, stopSignal } from '../stop-signal.ts'

interface ServeFlags {
  readonly data: string
  readonly listen?: readonly string[]
  readonly http: boolean
  readonly sample?: boolean
  readonly insecure?: boolean
}

/** `tillwire serve` */
export function serveCommand(): Command {
  return new Command('serve')
    .description('Run the stock server on a data folder.')
    .option('-d, --data <folder>', 'its data folder; made where it is missing', './data')
    .option('-l, --listen <endpoint>', `where it listens; may be given several times (default: ${DEFAULT_ENDPOINT})`, stockListens)
    .option('--no-http', 'without the HTTP side (this version has none yet)')
    .option('--sample', 'on an empty ledger: write a small chain, and let simulated tills sell')
    .option('--insecure', 'listen on addresses of other machines without TLS and tokens')
    .addHelpText(
      'after',
      `
It stops on SIGINT or SIGTERM: what was taken is committed and acknowledged first.
The log goes to stderr: for people on a terminal, JSON lines elsewhere.`,
    )
    .action(serve)
}

async function serve(flags: ServeFlags): Promise<void> {
  const listen = flags.listen ?? [DEFAULT_ENDPOINT]
  if (flags.insecure !== true) for (const endpoint of listen) refuseOpenAddress(endpoint)
  const stop = stopSignal(true)
  const log = await openLog()
  const broken = Promise.withResolvers<never>()
  broken.promise.catch(() => {}) // looked at below
  const server = await StockServer.open({
    data: flags.data,
    listen,
    report: (report) => {
      tell(log, report)
      if (report.event === 'log_broken') broken.reject(new Failure(`the log can no longer be trusted: ${report.reason}`))
    },
  })
  for (const endpoint of server.endpoints) process.stdout.write(`stock listening on ${endpoint}\n`)
  flushCompileCache() // now, for a server that is killed keeps nothing at its end
  let sample: RunningSample | undefined
  try {
    if (flags.sample === true) sample = await runSample(server, join(flags.data, 'sample'), log)
    await Promise.race([fired(stop), broken.promise])
    log.info('stopping: what was taken is committed first')
  } finally {
    await sample?.close()
    await server.close()
  }
  log.info({ position: server.position }, 'stopped')
  process.exitCode = EXIT.ok
}

/** Without TLS and tokens, whoever reaches the port could post: so only this machine may reach it. */
function refuseOpenAddress(text: string): void {
  const endpoint = parseEndpoint(text)
  if (endpoint.transport !== 'tcp') return
  if (isLoopback(endpoint.host)) return
  throw new Failure(
    `${text} can be reached from other machines, and this version has no TLS and no tokens; add --insecure to do it all the same`,
    EXIT.usage,
  )
}

function tell(log: Logger, report: ServerReport): void {
  switch (report.event) {
    case 'log_checking':
      return log.info('checking every record of the log; this takes a while')
    case 'recovered': {
      const { position, replayed, ms, checkMs } = report
      return log.info({ position, replayed, ms, checkMs }, 'ledger recovered')
    }
    case 'log_stalled':
      return log.error({ reason: report.reason }, 'the log cannot be written: nothing is acknowledged until it can')
    case 'log_resumed':
      return log.info('the log is written again')
    case 'log_broken':
      return log.fatal({ reason: report.reason }, 'the log can no longer be trusted')
    case 'projection_trouble':
      return log.warn({ reason: report.reason }, 'ledger.db cannot be written: it falls behind, and is tried again')
    case 'fault':
      return log.error({ error: oneLine(report.error), stack: report.error instanceof Error ? report.error.stack : undefined }, 'fault')
  }
}
