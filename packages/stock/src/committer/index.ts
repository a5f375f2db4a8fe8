export type { Source } from './batch.ts'
export { Committer, type CommitterParts } from './committer.ts'
