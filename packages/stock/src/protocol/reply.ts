import type { StockError } from '../errors.ts'
import { type Flag, type Level, type LevelCursor, type Refusal, type Result, units } from '../ledger/index.ts'
import { formatTime } from './time.ts'

/** The server's answer to hello. `till`, `epoch`, `last`, `chain` and `log` are there for a till. */
export interface Welcome {
  readonly welcome: number
  readonly server: string
  readonly time: string
  readonly till?: string
  readonly epoch?: number
  readonly last?: number
  /** The chain of the epoch's lines up to `last`. */
  readonly chain?: string
  /** The server's log: another one is another chain of stores, or one that was begun anew. A restored server has the same. */
  readonly log?: string
}

/** What a transaction has to say beside being durable. */
export interface TransactionResult {
  readonly seq: number
  readonly flags?: readonly Flag[]
  readonly refused?: Refusal
  readonly field?: string
  /** With `seq_gap`: the number that is next. */
  readonly expected?: number
  readonly repeated?: boolean
  readonly position?: number
}

/** All transactions up to `ack` are durable; `results` holds those with something to say. */
export interface Ack {
  readonly ack: number
  readonly position: number
  readonly time: string
  readonly results?: readonly TransactionResult[]
}

/** A level as it is shown. */
export interface LevelRow {
  readonly location: string
  readonly item: string
  readonly onHand: number
  readonly reserved: number
  readonly available: number
}

/** The answer to an ask; `next` goes back as `after` for the next page. */
export interface Answer {
  readonly answer: number
  readonly position: number
  readonly time: string
  readonly levels?: readonly LevelRow[]
  /** What else was asked for. */
  readonly rows?: readonly Readonly<Record<string, unknown>>[]
  /** The past moment that the rows hold for, and the position that it is. */
  readonly asOf?: { readonly position: number; readonly recorded?: string; readonly at?: string }
  readonly next?: string
  readonly known?: KnownCodes
}

/** Of the codes that were asked for, those that the ledger knows. */
export interface KnownCodes {
  readonly locations: readonly string[]
  /** Codes and barcodes. */
  readonly items: readonly string[]
  /** There where suppliers were asked for. */
  readonly suppliers?: readonly string[]
}

/** Watched levels that changed. */
export interface WatchEvent {
  readonly event: number
  readonly position: number
  readonly time: string
  readonly levels: readonly LevelRow[]
}

/** Something was wrong with what the client said. */
export interface ErrorReply {
  readonly error: { readonly code: string; readonly message: string; readonly field?: string; readonly seq?: number; readonly ask?: number }
}

/** What a server may say. */
export type Reply = Welcome | Ack | Answer | WatchEvent | ErrorReply

/** The line of a welcome, to a till with the log that it posts to. */
export function encodeWelcome(
  server: string,
  now: number,
  till?: { name: string; epoch: number; last: number; chain: string },
  log?: string,
): string {
  const session = till === undefined ? {} : { till: till.name, epoch: till.epoch, last: till.last, chain: till.chain, log }
  return JSON.stringify({ welcome: 1, server, time: formatTime(now), ...session })
}

/**
 * The line of an acknowledgement.
 *
 * @param results - the results with something to say, each as {@link encodeResult} wrote it
 */
export function encodeAck(seq: number, position: number, time: string, results: readonly string[]): string {
  const head = `{"ack":${seq},"position":${position},"time":"${time}"`
  return results.length === 0 ? `${head}}` : `${head},"results":[${results.join(',')}]}`
}

/** One result with something to say. */
export function encodeResult(seq: number, result: Result): string {
  if (result.again !== undefined) return encodeRepeated(seq, result.again, result)
  if (result.refused === undefined) return `{"seq":${seq},"flags":${flagsText(result.flags)}}`
  return `{"seq":${seq},${refusalText(result)}}`
}

/** The result of a transaction that was posted before: at this position, or, offered again in a new epoch, at an earlier one. */
export function encodeRepeated(seq: number, position: number, result: Result): string {
  const first =
    result.refused !== undefined ? `,${refusalText(result)}` : result.flags.length > 0 ? `,"flags":${flagsText(result.flags)}` : ''
  return `{"seq":${seq},"repeated":true,"position":${result.again ?? position}${first}}`
}

/** The result of a transaction that came too early. */
export function encodeGap(seq: number, expected: number): string {
  return `{"seq":${seq},"refused":"seq_gap","expected":${expected}}`
}

/** The answer to an ask for levels or for a watch. */
export function encodeLevels(id: number, position: number, time: string, levels: readonly Level[], next?: LevelCursor): string {
  const more = next === undefined ? '' : `,"next":"${next.place}.${next.item}"`
  return `{"answer":${id},"position":${position},"time":"${time}","levels":[${levels.map(levelText).join(',')}]${more}}`
}

/** What an event says, for all who hear the same; {@link encodeEvent} makes it a line for one of them. */
export function encodeChange(position: number, time: string, levels: readonly Level[]): string {
  return `"position":${position},"time":"${time}","levels":[${levels.map(levelText).join(',')}]}`
}

/** The event of a watch, of what {@link encodeChange} wrote. */
export function encodeEvent(watch: number, change: string): string {
  return `{"event":${watch},${change}`
}

/**
 * The answer to an ask.
 *
 * @param fields - what it says beside where and when it holds, as JSON without the braces
 */
export function encodeAnswer(id: number, position: number, time: string, fields?: string): string {
  return `{"answer":${id},"position":${position},"time":"${time}"${fields === undefined ? '' : `,${fields}`}}`
}

/** The line of an error, with what it is about. */
export function encodeError(error: StockError, about: { seq?: number; ask?: number } = {}): string {
  const field = error.field === undefined ? {} : { field: error.field }
  return JSON.stringify({ error: { code: error.code, message: error.message, ...field, ...about } })
}

/** The place in a list that a `next` names; undefined when it is none of ours. */
export function decodeCursor(text: string): LevelCursor | undefined {
  const match = /^(\d{1,9})\.(\d{1,9})$/.exec(text)
  return match === null ? undefined : { place: Number(match[1]), item: Number(match[2]) }
}

function levelText({ place, item, onHand, reserved }: Level): string {
  const figures = `"onHand":${units(onHand)},"reserved":${units(reserved)},"available":${units(onHand - reserved)}`
  return `{"location":${JSON.stringify(place.code)},"item":${JSON.stringify(item.code)},${figures}}`
}

function refusalText({ refused, field }: Result): string {
  return `"refused":"${refused}"${field === undefined ? '' : `,"field":${JSON.stringify(field)}`}`
}

function flagsText(flags: readonly Flag[]): string {
  return `["${flags.join('","')}"]`
}
