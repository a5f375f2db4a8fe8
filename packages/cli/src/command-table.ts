import type { Command } from 'commander'

interface Row {
  readonly names: readonly string[]
  load(): Promise<readonly Command[]>
}

/** Every command in the order of the help, with the module that makes it. */
const ROWS: readonly Row[] = [
  { names: ['serve'], load: async () => [(await import('./commands/serve.ts')).serveCommand()] },
  { names: ['post'], load: async () => [(await import('./commands/post.ts')).postCommand()] },
  { names: ['levels'], load: async () => [(await import('./commands/levels.ts')).levelsCommand()] },
  { names: ['watch'], load: async () => [(await import('./commands/watch.ts')).watchCommand()] },
  { names: ['till'], load: async () => [(await import('./commands/till.ts')).tillCommand()] },
  { names: ['refused'], load: async () => [(await import('./commands/refused.ts')).refusedCommand()] },
  {
    names: ['reorder', 'history', 'velocity', 'shrink', 'oversold', 'opened', 'tills'],
    load: async () => (await import('./commands/purchasing.ts')).purchasingCommands(),
  },
  { names: ['import'], load: async () => [(await import('./commands/import.ts')).importCommand()] },
  { names: ['export'], load: async () => [(await import('./commands/export.ts')).exportCommand()] },
  { names: ['backup'], load: async () => [(await import('./commands/backup.ts')).backupCommand()] },
  { names: ['restore'], load: async () => [(await import('./commands/restore.ts')).restoreCommand()] },
  { names: ['rebuild'], load: async () => [(await import('./commands/rebuild.ts')).rebuildCommand()] },
  { names: ['verify'], load: async () => [(await import('./commands/verify.ts')).verifyCommand()] },
  { names: ['run'], load: async () => [(await import('./commands/run.ts')).runCommand()] },
  { names: ['call'], load: async () => [(await import('./commands/call.ts')).callCommand()] },
]

/**
 * The commands that a command line beginning with this word needs: its own, and those of the same module; all of them where it is none, for
 * the help and for what is told of a slip. Loading all takes as long as half a start of a server.
 */
export async function commandsFor(word: string | undefined): Promise<readonly Command[]> {
  const own = ROWS.filter(({ names }) => word !== undefined && names.includes(word))
  return (await Promise.all((own.length > 0 ? own : ROWS).map((row) => row.load()))).flat()
}
