/**
 * The small classic services on `@tillwire/net`: each the robust form of a server that courses on sockets begin with, and still able to talk
 * with its plain clients.
 *
 * @packageDocumentation
 */
export {
  type CommandArgument,
  type CommandEntries,
  type CommandEntry,
  type CommandOptions,
  type CommandSession,
  command,
  DEFAULT_COMMANDS,
} from './command/index.ts'
export { ctime } from './ctime.ts'
export { daytime } from './daytime.ts'
export { echo } from './echo.ts'
export { FRAMING_NAMES, type FramingName, framingNamed } from './framing-names.ts'
export { hello } from './hello.ts'
export { LIMITS } from './limits.ts'
export { isLoopback } from './loopback.ts'
export { type ServiceSetup, serviceFrom, serviceModule } from './setup.ts'
export { type SinkOptions, sink } from './sink.ts'
export { defaultEndpoints, SERVICES, type ServiceName, type ServiceRow } from './table.ts'
export { type TimestampOptions, timestamp } from './timestamp.ts'
export { visible } from './visible.ts'
