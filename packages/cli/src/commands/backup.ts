import { backupData } from '@tillwire/stock'
import { Command } from 'commander'
import { dataOption } from '../options.ts'
import { copySaid } from '../said.ts'

/** `tillwire backup` */
export function backupCommand(): Command {
  return new Command('backup')
    .description('Copy the log of a data folder into one file, while the server runs or not. Nothing is written over.')
    .argument('<file>', 'the backup; it must not be there yet')
    .addOption(dataOption())
    .addHelpText(
      'after',
      `
The log is all there is to keep: everything else is made from it. The copy is checked record by record and is on the disk
before it gets its name; interrupted, it is not there.`,
    )
    .action((file: string, { data }: { readonly data: string }) => {
      process.stdout.write(`backed up: ${copySaid(backupData(data, file))}\n`)
    })
}
