/** Sessions: who is connected, what they may do, and what they are answered. */
export type { Change, Watcher } from './audience.ts'
export { MemoryArchive } from './memory-archive.ts'
export type { Archive, EarlierIds, LevelName, QuestionDesk, Recalled } from './recall.ts'
export type { SessionsParts } from './session-parts.ts'
export { Sessions } from './sessions.ts'
export { Watches } from './watches.ts'
