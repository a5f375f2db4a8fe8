/** Wire protocol 1: lines in, messages out, and back. Pure: no socket, no clock. */
export { chainHigh, chainLow, chainText, firstChain, hashContent, hashHigh, hashLow, hashText, nextChain } from '../ledger/index.ts'
export { LineReader } from './line-reader.ts'
export { type Ask, decodeRequest, encodeHello, type Hello, parseObject, type Request, SERVER_TILL } from './message.ts'
export { decodeQuestion, type Moment, type OnOrder, QUESTION_NAMES, type Question } from './question.ts'
export {
  type Ack,
  type Answer,
  decodeCursor,
  type ErrorReply,
  encodeAck,
  encodeAnswer,
  encodeChange,
  encodeError,
  encodeEvent,
  encodeGap,
  encodeLevels,
  encodeRepeated,
  encodeResult,
  encodeWelcome,
  type KnownCodes,
  type LevelRow,
  type Reply,
  type TransactionResult,
  type WatchEvent,
  type Welcome,
} from './reply.ts'
export { decodeReply } from './reply-decoder.ts'
export { formatTime, parseTime } from './time.ts'
export { type Draft, decodeTransaction, encodeTransaction, hasLines, KINDS, sameContent } from './transaction.ts'
