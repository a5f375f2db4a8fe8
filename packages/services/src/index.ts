/**
 * The small classic services on `@tillwire/net`.
 *
 * @packageDocumentation
 */
export { echo } from './echo.ts'
