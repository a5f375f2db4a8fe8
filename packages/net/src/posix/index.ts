/**
 * What Node has no API for, by `node:ffi`, on Linux and macOS, in the main thread. Nothing is loaded before the first call; where it cannot
 * work that call throws NetError `unsupported` with the reason.
 */
export { DatagramSocket, type Received, type Sent } from './datagram.ts'
export { closeDescriptor, duplicate } from './descriptor.ts'
export { listenUnixShared } from './listen-shared.ts'
export { type Watch, watchDescriptor } from './readiness.ts'
export { type SocketKind, socketKind } from './socket-kind.ts'
