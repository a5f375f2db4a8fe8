import type { Contender } from '../contenders/contender.ts'
import type { Form } from '../form.ts'
import { median } from '../net/rounds.ts'
import { CATCHING_UP, type Shape, type Turn, takeTurn } from './turn.ts'

/** A server under one shape of load. */
export interface Entry {
  readonly name: string
  readonly contender: Contender['name']
  readonly shape: Shape
  /** Its turn begins when the server has nothing left to do: what is asked is how soon one answer comes, not what a backlog costs. */
  readonly settled: boolean
  /** What a first, short turn is made for; the others by what that one showed. */
  readonly guessPerSecond: number
}

/** What an entry showed in all rounds. */
export interface Rate {
  readonly entry: Entry
  /** The median of the rounds, figure by figure; of the longest wait, the longest. */
  readonly median: Turn
  readonly turns: readonly Turn[]
}

const entry = (
  contender: string,
  clients: number,
  outstanding: number,
  perRequest: number,
  guessPerSecond: number,
  words: string,
): Entry => ({
  name: `${contender}, ${words}`,
  contender,
  shape: { clients, outstanding, perRequest },
  settled: outstanding === 1,
  guessPerSecond,
})

export const TILLWIRE_8_1000: Entry = { ...entry('tillwire', 8, 1_000, 1, 300_000, '8 × 1,000'), shape: CATCHING_UP }
export const TILLWIRE_64_100: Entry = entry('tillwire', 64, 100, 1, 300_000, '64 × 100')
export const TILLWIRE_8_1: Entry = entry('tillwire', 8, 1, 1, 8_000, '8 × 1')
export const CEILING_8_1000: Entry = { ...entry('ceiling', 8, 1_000, 1, 700_000, '8 × 1,000'), shape: CATCHING_UP }
export const CEILING_64_100: Entry = entry('ceiling', 64, 100, 1, 700_000, '64 × 100')
export const CEILING_8_1: Entry = entry('ceiling', 8, 1, 1, 10_000, '8 × 1')
export const POSTGRES_8: Entry = entry('PostgreSQL', 8, 1, 1, 4_000, '8 clients')
export const POSTGRES_32: Entry = entry('PostgreSQL', 32, 1, 1, 8_000, '32 clients')
export const POSTGRES_BULK: Entry = entry('PostgreSQL', 8, 1, 1_000, 40_000, '8 clients, 1,000 receipts a statement')
export const REDIS_8_1: Entry = entry('Redis', 8, 1, 1, 8_000, '8 × 1')
export const REDIS_8_64: Entry = entry('Redis', 8, 64, 1, 40_000, '8 × 64')

export const ENTRIES: readonly Entry[] = [
  TILLWIRE_8_1000,
  CEILING_8_1000,
  TILLWIRE_64_100,
  CEILING_64_100,
  TILLWIRE_8_1,
  CEILING_8_1,
  POSTGRES_8,
  POSTGRES_32,
  POSTGRES_BULK,
  REDIS_8_1,
  REDIS_8_64,
]

/** The share of a turn that the first one, which is not counted, lasts by the guess. */
const FIRST = 0.4

/**
 * Every entry takes its turn in every round, each round begins with another one, and all servers but the one whose turn it is are
 * halted: what tillwire's projection still has to do is done in tillwire's own turns.
 */
export async function measureRates(
  contenders: readonly Contender[],
  { rounds, turnMs, settles }: Form,
  say: (text: string) => void,
): Promise<Rate[]> {
  const entries = ENTRIES.filter(({ contender }) => contenders.some(({ name }) => name === contender))
  const perSecond = new Map<Entry, number>()
  const taken = new Map<Entry, Turn[]>(entries.map((each) => [each, []]))
  const halted = contenders.filter(({ name }) => name === 'tillwire' || name === 'ceiling')
  for (const { program } of halted) program.pause()
  for (let round = -1; round < rounds; round++) {
    say(round < 0 ? 'rates: a round that is not counted' : `rates: round ${round + 1} of ${rounds}`)
    for (let place = 0; place < entries.length; place++) {
      const one = entries[(place + Math.max(0, round)) % entries.length] as Entry
      const contender = contenders.find(({ name }) => name === one.contender) as Contender
      const seconds = (round < 0 ? FIRST * turnMs : turnMs) / 1000
      if (halted.includes(contender)) contender.program.resume()
      if (one.settled && settles) await contender.settled?.()
      const turn = await takeTurn(contender, one.shape, (perSecond.get(one) ?? one.guessPerSecond) * seconds)
      if (halted.includes(contender)) contender.program.pause()
      perSecond.set(one, turn.receiptsPerSecond)
      if (round >= 0) taken.get(one)?.push(turn)
    }
  }
  for (const { program } of halted) program.resume()
  return [...taken].map(([each, turns]) => ({ entry: each, median: medianOf(turns), turns }))
}

/** How much faster one is than the other: the quotient of each round, and their median. Undefined where one was not there. */
export function quotients(rates: readonly Rate[], one: Entry, other: Entry): readonly number[] | undefined {
  const turnsOf = (wanted: Entry): readonly Turn[] | undefined => rates.find((rate) => rate.entry === wanted)?.turns
  const below = turnsOf(other)
  if (below === undefined) return undefined
  return turnsOf(one)?.map(({ receiptsPerSecond }, round) => receiptsPerSecond / (below[round]?.receiptsPerSecond ?? Number.NaN))
}

function medianOf(turns: readonly Turn[]): Turn {
  const of = (figure: keyof Turn): number => median(turns.map((turn) => turn[figure] ?? Number.NaN))
  return {
    receipts: of('receipts'),
    lines: of('lines'),
    seconds: of('seconds'),
    cpuSeconds: of('cpuSeconds'),
    p50: of('p50'),
    p99: of('p99'),
    most: Math.max(...turns.map(({ most }) => most)),
    receiptsPerSecond: of('receiptsPerSecond'),
    serverCpuMicros: of('serverCpuMicros'),
    loadCpuMicros: of('loadCpuMicros'),
    logBytesPerLine: turns[0]?.logBytesPerLine === undefined ? undefined : of('logBytesPerLine'),
    residentMegabytes: of('residentMegabytes'),
  }
}
