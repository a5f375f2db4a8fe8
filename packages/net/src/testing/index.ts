/**
 * For tests of what is built on `@tillwire/net`: a network in memory and a clock that is moved by hand, so that no test needs a socket or a
 * sleep.
 *
 * @packageDocumentation
 */
export { type ManualClock, manualClock, type PendingTimer } from './manual-clock.ts'
export { type MemoryDatagram, type MemoryNetwork, type MemoryNetworkOptions, memoryNetwork } from './memory-network.ts'
