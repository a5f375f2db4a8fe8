export { type LevelQuestion, Reader, type ReaderOptions } from './reader.ts'
