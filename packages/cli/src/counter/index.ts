export { count } from './basket.ts'
export { Counter } from './counter.ts'
