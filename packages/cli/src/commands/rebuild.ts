import { rebuildTables } from '@tillwire/stock'
import { Command } from 'commander'
import { LogBar } from '../log-bar.ts'
import { dataOption } from '../options.ts'

/** `tillwire rebuild` */
export function rebuildCommand(): Command {
  return new Command('rebuild')
    .description('Make the tables of a data folder (ledger.db) again from its log. The server must be stopped.')
    .addOption(dataOption())
    .action(async ({ data }: { readonly data: string }) => {
      using bar = new LogBar('rebuilding')
      const position = await rebuildTables(data, bar.hear)
      bar[Symbol.dispose]()
      process.stdout.write(`rebuilt: the tables hold position ${position}\n`)
    })
}
