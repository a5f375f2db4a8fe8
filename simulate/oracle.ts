import {
  Ledger,
  type LogBatch,
  type MemoryLog,
  type Postings,
  queryLevels,
  type Result,
  readBody,
  replayRecord,
} from '@tillwire/stock/testing'
import type { Heard, Question, Told } from './client.ts'
import type { HeldRow } from './outbox-disk.ts'
import { difference, imbalance, levelRow, snapshot } from './snapshot.ts'
import { Violation } from './violation.ts'

/** A transaction as it stands in the log. */
export interface Entry {
  readonly till: string
  readonly epoch: number
  readonly seq: number
  readonly id: string
  readonly line: string
  readonly position: number
  readonly recorded: number
  readonly result: Result
}

/** Knows what was promised, and looks whether it was kept. */
export class Oracle {
  /** All that was ever durable, whatever became of it: a till and an id. */
  readonly #durable = new Set<string>()
  /** What a till has seen acknowledged, and must be in the ledger. */
  readonly #promised = new Set<string>()
  /** What was refused before the log went back. */
  readonly #refused = new Set<string>()
  #heard: Heard[] = []
  #told: Told[] = []

  /** A batch is on the disk. Answers what it holds, in short. */
  written({ body, first, count }: LogBatch): string {
    const groups: string[] = []
    let till = ''
    let seqs: string[] = []
    readBody(body, {
      group(name, epoch) {
        till = name
        seqs = []
        groups.push(`${name} of epoch ${epoch}: `)
      },
      line: (text) => {
        this.#durable.add(keyOf(till, text))
        seqs.push(/"seq":(\d+)/.exec(text)?.[1] ?? '?')
        groups[groups.length - 1] = `${groups.at(-1)?.replace(/: .*/, '')}: ${seqs[0]} to ${seqs.at(-1)}`
      },
    })
    return `durable from ${first} to ${first + count - 1}: ${groups.join('; ')}`
  }

  /** A till has seen rows acknowledged. */
  acknowledged(till: string, rows: readonly HeldRow[]): void {
    for (const { line } of rows) {
      const key = keyOf(till, line)
      if (!this.#durable.has(key)) throw new Violation(`${key} is acknowledged, and was never on the disk`)
      this.#promised.add(key)
    }
  }

  answered(heard: Heard): void {
    this.#heard.push(heard)
  }

  told(told: Told): void {
    this.#told.push(told)
  }

  get promises(): number {
    return this.#promised.size
  }

  /** The log goes back to an older one: what was refused need not be refused again. */
  async logSetBack(before: MemoryLog): Promise<void> {
    for (const entry of (await replay(before)).entries) if (entry.result.refused !== undefined) this.#refused.add(keyOfEntry(entry))
  }

  /** After something went back to an older copy: what the log holds stays, and what the tills hold will be there again; the rest may be lost. */
  async forgive(log: MemoryLog, retained: ReadonlyMap<string, HeldRow>): Promise<void> {
    const there = new Set((await replay(log)).entries.map(keyOfEntry))
    for (const key of this.#promised) {
      if (!there.has(key) && (this.#refused.has(key) || !retained.has(key))) this.#promised.delete(key)
    }
  }

  /** Compares a ledger with what its log says up to its position, and the answers that it gave. */
  async compare(ledger: Ledger, log: MemoryLog): Promise<readonly Entry[]> {
    const answers = Map.groupBy(this.#heard, ({ answer }) => answer.position)
    const events = Map.groupBy(this.#told, ({ position }) => position)
    this.#heard = []
    this.#told = []
    const { entries, ledger: replayed } = await replay(log, ledger.position, (at) => {
      for (const heard of answers.get(at.position) ?? []) compareAnswer(heard, at)
      for (const told of events.get(at.position) ?? []) compareTold(told, at)
    })
    const unequal = difference(snapshot(ledger), snapshot(replayed))
    if (unequal !== undefined) throw new Violation(`the ledger is not what its log says\n${unequal}`)
    const unbalanced = imbalance(ledger)
    if (unbalanced !== undefined) throw new Violation(unbalanced)
    return entries
  }

  /** All is quiet: everything that was promised is there once, and nothing is there twice. */
  settled(entries: readonly Entry[], retained: ReadonlyMap<string, HeldRow>): void {
    const posted = new Map<string, Entry>()
    for (const entry of entries) {
      const key = keyOfEntry(entry)
      const before = posted.get(key)
      if (entry.result.again !== undefined) sameAgain(key, entry, before)
      else {
        if (entry.result.field === 'id')
          throw new Violation(`${key} at ${entry.position} is refused as another one's id, and its till gives each id once`)
        if (before !== undefined) mayBePostedOver(key, entry, before)
        posted.set(key, entry)
      }
    }
    for (const key of this.#promised) if (!posted.has(key)) throw new Violation(`${key} was acknowledged, and is not in the ledger`)
    for (const [key, { line, refused }] of retained) {
      const entry = posted.get(key)
      if (entry === undefined) throw new Violation(`${key} is held by its till as delivered, and is not in the ledger`)
      if (bare(entry.line) !== bare(line))
        throw new Violation(`${key} is in the ledger with other content\nheld    ${line}\nposted  ${entry.line}`)
      if (refused === null && entry.result.refused !== undefined)
        throw new Violation(`${key} is held by its till as accepted, and was refused at ${entry.position} as ${entry.result.refused}`)
    }
  }
}

/** A till is told that it has posted an id before only of what was accepted, in an epoch before, with the same content; and hears the first answer. */
function sameAgain(key: string, entry: Entry, before: Entry | undefined): void {
  const { again, flags, refused } = entry.result
  if (before === undefined || before.position !== again)
    throw new Violation(`${key} at ${entry.position} repeats ${again}, and was posted at ${before?.position}`)
  const { flags: first, refused: why } = before.result
  if (why !== undefined) throw new Violation(`${key} at ${entry.position} repeats ${again}, which was refused as ${why}`)
  if (before.epoch >= entry.epoch) throw new Violation(`${key} at ${entry.position} repeats ${again} of the same epoch`)
  if (refused !== undefined || flags.join() !== first.join())
    throw new Violation(`${key} at ${entry.position} repeats ${again}, and is answered ${refused ?? `[${flags}]`} in place of [${first}]`)
  if (bare(entry.line) !== bare(before.line))
    throw new Violation(
      `${key} at ${entry.position} repeats ${again}, which was other content\nfirst  ${before.line}\nnow    ${entry.line}`,
    )
}

/** Only what was refused is looked at anew, when its till offers it as it was in a later epoch. */
function mayBePostedOver(key: string, entry: Entry, before: Entry): void {
  if (before.result.refused === undefined) throw new Violation(`${key} is posted twice: at ${before.position} and at ${entry.position}`)
  if (before.epoch >= entry.epoch)
    throw new Violation(`${key} is refused at ${before.position} and posted at ${entry.position}, in the same epoch`)
  if (bare(entry.line) !== bare(before.line))
    throw new Violation(`${key} is posted at ${entry.position} with other content\nfirst  ${before.line}\nnow    ${entry.line}`)
}

function keyOfEntry({ till, id }: Entry): string {
  return `${till} ${id}`
}

/** A till and the id of a line. */
export function keyOf(till: string, line: string): string {
  return `${till} ${idOf(line) ?? line}`
}

function idOf(line: string): string | undefined {
  return /"id":"([^"]*)"/.exec(line)?.[1]
}

/** A line without its number. */
function bare(line: string): string {
  return line.replace(/"seq":\d+,?/, '')
}

/** What a log says, up to a position. */
export async function replay(
  log: MemoryLog,
  upTo: number = Number.POSITIVE_INFINITY,
  look?: (ledger: Ledger) => void,
  postings?: Postings,
): Promise<{ readonly ledger: Ledger; readonly entries: readonly Entry[] }> {
  const ledger = new Ledger()
  const entries: Entry[] = []
  look?.(ledger)
  for await (const record of log.read(1)) {
    if (record.first > upTo) break
    const lines: string[] = []
    readBody(record.body, { group() {}, line: (text) => void lines.push(text) })
    replayRecord(ledger, record, {
      ...(postings === undefined ? {} : { postings }),
      applied(till, epoch, { seq }, position, result) {
        const line = lines[position - record.first] as string
        const id = idOf(line) ?? `${till.name}/${epoch}/${seq}`
        entries.push({ till: till.name, epoch, seq, id, line, position, recorded: record.recorded, result })
        look?.(ledger)
      },
    })
  }
  return { ledger, entries }
}

function compareTold({ who, position, levels }: Told, ledger: Ledger): void {
  for (const row of levels) {
    const [level] = queryLevels(ledger, { location: row.location, item: row.item }, 1).levels
    // What turned out to be another item's barcode has nothing left under its own code.
    const none = { location: row.location, item: row.item, onHand: 0, reserved: 0, available: 0 }
    const [said, expected] = [JSON.stringify(row), JSON.stringify(level?.item.code === row.item ? levelRow(level) : none)]
    if (said !== expected) throw new Violation(`${who} was told a wrong level at ${position}\ntold    ${said}\nledger  ${expected}`)
  }
}

function compareAnswer({ who, question, answer }: Heard, ledger: Ledger): void {
  const { limit, below, ...rest } = question as Question & { limit?: number; below?: number }
  const filter = { ...rest, ...(below === undefined ? {} : { below: below * 1000 }) }
  const rows = queryLevels(ledger, filter, limit ?? 1_000).levels.map(levelRow)
  const [said, expected] = [JSON.stringify(answer.levels), JSON.stringify(rows)]
  if (said !== expected)
    throw new Violation(
      `${who} was answered wrongly about ${JSON.stringify(question)} at ${answer.position}\nsaid      ${said}\nledger    ${expected}`,
    )
}
