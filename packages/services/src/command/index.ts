export { type CommandOptions, command } from './command.ts'
export { type CommandArgument, type CommandEntries, type CommandEntry, DEFAULT_COMMANDS } from './command-list.ts'
export type { CommandSession } from './session.ts'
