import { restoreData } from '@tillwire/stock'
import { Command } from 'commander'
import { dataOption } from '../options.ts'
import { copySaid } from '../said.ts'

/** `tillwire restore` */
export function restoreCommand(): Command {
  return new Command('restore')
    .description('Put a backup into a new or empty data folder, for a server to start on.')
    .argument('<file>', 'the backup')
    .addOption(dataOption())
    .addHelpText(
      'after',
      `
The backup is checked record by record first. What the tills posted after it was taken, they send again by themselves, as
far back as their outboxes keep it (30 days).`,
    )
    .action((file: string, { data }: { readonly data: string }) => {
      process.stdout.write(`restored: ${copySaid(restoreData(file, data))}\n`)
    })
}
