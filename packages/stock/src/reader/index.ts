export { type LevelQuestion, Reader, type ReaderOptions, type Report, type ReportName } from './reader.ts'
