export { aloneOf } from './alone.ts'
export { type Decoder, FrameError, type Framing } from './framing.ts'
export { lineBlocks, lines } from './lines.ts'
export { Slab } from './slab.ts'
