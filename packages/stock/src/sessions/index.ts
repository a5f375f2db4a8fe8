/** Sessions: who is connected, what they may do, and what they are answered. */
export type { Archive, Recalled } from './recall.ts'
export { Sessions, type SessionsParts } from './sessions.ts'
export { Watches } from './watches.ts'
