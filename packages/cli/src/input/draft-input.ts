import type { Draft } from '@tillwire/stock'

/** How an input is written. */
export type InputFormat = 'ndjson' | 'csv' | 'baskets'

/** What the reader of an input is told beside the input. */
export interface InputDefaults {
  /** The location of transactions that name none. */
  readonly location: string | undefined
  /** The time of transactions that name none, in milliseconds. */
  readonly now: number
}

/** A transaction as an input has it. */
export interface InputDraft {
  readonly draft: Draft
  /** The line of the input that it begins on, from 1. */
  readonly line: number
  /** It is not in the input: `--define` put it there. */
  readonly added?: true
}

/** Reads an input's bytes as transactions. @throws (while iterating) Failure that names the line and what is wrong. */
export type InputReader = (chunks: AsyncIterable<Buffer>, defaults: InputDefaults) => AsyncIterable<InputDraft>
