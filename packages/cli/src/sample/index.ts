export { type RunningSample, runSample } from './sample.ts'
