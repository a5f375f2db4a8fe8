import { readFileSync } from 'node:fs'
import { NetError } from '@tillwire/net'
import { StockError } from '@tillwire/stock'
import { Command, CommanderError } from 'commander'
import { commandsFor } from './command-table.ts'
import { EXIT, Failure, oneLine } from './failure.ts'
import { tellReaderGone } from './reader-gone.ts'

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }

const program = new Command('tillwire')
  .description('The central stock server of a retail chain, and the tills that talk to it.')
  .version(version)
  .showHelpAfterError('(add --help for the options)')
  .addHelpText(
    'after',
    `
Begin with:
  tillwire serve --sample     a server with a small chain and simulated tills
  tillwire watch              in another terminal: levels as they change
  tillwire till --location S01 --till T9
The small services, and the client of all of them:
  tillwire run timestamp
  tillwire call tcp://127.0.0.1:21567

Exit codes: 0 done, 1 failed, 2 wrong command line or input, 3 done but transactions were refused, 130 interrupted.`,
  )

for (const command of await commandsFor(process.argv[2])) {
  program.addCommand(command.showHelpAfterError('(add --help for the options)'))
}
for (const command of [program, ...program.commands]) command.exitOverride()

// Whatever nobody caught is a fault of the program: it is said on one line all the same, and the process ends.
process.on('uncaughtException', (error) => {
  process.stderr.write(
    `tillwire: internal fault: ${oneLine(error)}${process.env.TILLWIRE_STACK ? `\n${error.stack}` : ' (TILLWIRE_STACK=1 shows where)'}\n`,
  )
  process.exit(EXIT.failed)
})

process.stderr.on('error', () => {}) // nobody reads what we complain about

// A reader that goes away (`tillwire levels | head`) is no failure of ours; a server ends politely first.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') {
    if (!tellReaderGone()) process.exit(EXIT.ok)
    return
  }
  process.stderr.write(`tillwire: the output cannot be written: ${oneLine(error)}\n`)
  process.exit(EXIT.failed)
})

try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage // commander has printed it
  } else {
    process.stderr.write(`tillwire: ${oneLine(error)}${hint(error)}\n`)
    process.exitCode = exitCodeOf(error)
  }
}

function exitCodeOf(error: unknown): number {
  if (error instanceof Failure) return error.exitCode
  return error instanceof StockError && error.code === 'bad_field' ? EXIT.usage : EXIT.failed
}

function hint(error: unknown): string {
  return error instanceof NetError && error.code === 'connect_refused' ? '; is "tillwire serve" running there?' : ''
}
