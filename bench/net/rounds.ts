import { type Case, type Figures, MESSAGE_BYTES } from './cases.ts'
import { Contender } from './contender.ts'
import type { Generator } from './generator.ts'

/** How long is measured. */
export interface Pace {
  readonly rounds: number
  /** Of each server in each round. */
  readonly ms: number
  readonly warmUpMs: number
}

/** What a server showed in a case. */
export interface Measured {
  readonly server: string
  /** The median of the rounds, figure by figure. */
  readonly figures: Figures
  /** The case's figure over that of the server it is held against: the quotient of each round, sorted. */
  readonly quotients: readonly number[]
}

/**
 * Takes the servers in turn, round by round, and divides within a round: what else the machine does in that second falls on all of
 * them, and the median of many short rounds leaves the worst of it out. Each round begins with another server, so that none has
 * the best place.
 * @returns a row per server, in the case's order; those whose interpreter is missing are left out
 */
export async function measure(one: Case, generator: Generator, { rounds, ms, warmUpMs }: Pace): Promise<Measured[]> {
  const contenders: Contender[] = []
  try {
    for (const server of one.servers) {
      const contender = await Contender.start(server)
      if (contender === undefined)
        console.log(`${server.name}: skipped, there is no ${server.program[0].endsWith('.py') ? 'python3' : 'node'}`)
      else contenders.push(contender)
    }
    for (const contender of contenders) await turn(contender, one, generator, warmUpMs)
    const taken = new Map<string, Figures[]>(contenders.map(({ name }) => [name, []]))
    for (let round = 0; round < rounds; round++) {
      for (let place = 0; place < contenders.length; place++) {
        const contender = contenders[(round + place) % contenders.length] as Contender
        taken.get(contender.name)?.push(await turn(contender, one, generator, ms))
      }
    }
    const base = taken.get(one.against.name) ?? []
    return [...taken].map(([server, figures]) => ({
      server,
      figures: medians(figures),
      quotients: figures.map((each, round) => each[one.figure] / (base[round]?.[one.figure] ?? Number.NaN)).sort((a, b) => a - b),
    }))
  } finally {
    await Promise.all(contenders.map((contender) => contender.stop()))
  }
}

async function turn(contender: Contender, { connections, inFlight }: Case, generator: Generator, ms: number): Promise<Figures> {
  let before = 0
  const settings = { port: contender.port, connections, inFlight, messageBytes: MESSAGE_BYTES, ms }
  const { messages, seconds, cpuMicros } = await generator.run(settings, async () => {
    before = await contender.cpuMicros()
  })
  const used = (await contender.cpuMicros()) - before
  return {
    messagesPerSecond: messages / seconds,
    cpuMicros: used / messages,
    messagesPerCpuSecond: (messages / used) * 1e6,
    cores: used / 1e6 / seconds,
    loadCpuMicros: cpuMicros / messages,
  }
}

function medians(figures: readonly Figures[]): Figures {
  const of = (name: keyof Figures): number => median(figures.map((each) => each[name]))
  return {
    messagesPerSecond: of('messagesPerSecond'),
    cpuMicros: of('cpuMicros'),
    messagesPerCpuSecond: of('messagesPerCpuSecond'),
    cores: of('cores'),
    loadCpuMicros: of('loadCpuMicros'),
  }
}

/** The value in the middle; of two, their mean. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  return ((sorted[Math.ceil(middle) - 1] as number) + (sorted[Math.floor(middle)] as number)) / 2
}
