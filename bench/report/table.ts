import { type Goal, goalsOf, isMet } from './goals.ts'
import { figure, type Results } from './results.ts'

/** The whole run as tables for a terminal. */
export function print(results: Results): void {
  const { rates, paced, watching, memory, growth } = results
  if (rates !== undefined) {
    show('Receipts acknowledged after fsync', rates, ({ entry, median: turn }) => [
      entry.name,
      {
        'receipts/s': figure(turn.receiptsPerSecond),
        'p50 ms': figure(turn.p50),
        'p99 ms': figure(turn.p99),
        'max ms': figure(turn.most),
        'server CPU µs': figure(turn.serverCpuMicros),
        'load CPU µs': figure(turn.loadCpuMicros),
        'log bytes/line': figure(turn.logBytesPerLine),
        'RSS MB': figure(turn.residentMegabytes),
      },
    ])
  }
  if (paced !== undefined) {
    show('By the clock, at half the rate', paced, (one) => [
      `${one.contender}, ${figure(one.perSecond)}/s, ${figure(one.seconds)} s`,
      {
        'p50 ms': figure(one.p50),
        'p99 ms': figure(one.p99),
        'max ms': figure(one.most),
        'load CPU µs': figure((one.cpuSeconds / one.receipts) * 1e6),
      },
    ])
  }
  if (watching !== undefined) {
    show('Watchers, under the full load', [watching], (one) => [
      `${figure(one.watchers)} watchers`,
      { 'events/s': figure(one.eventsPerSecond), 'p50 ms': figure(one.p50), 'p99 ms': figure(one.p99), 'max ms': figure(one.most) },
    ])
  }
  if (memory !== undefined) {
    const { levels, tills, idle } = memory
    show(
      'Resident memory, 1,000,000 levels',
      Object.entries({ alone: levels, '1,000 tills': tills, '10,000 tills': idle }),
      ([name, megabytes]) => [name, { 'RSS MB': figure(megabytes) }],
    )
  }
  if (growth !== undefined && growth.length > 0) {
    show('Growth', growth, (one) => [
      `${figure(one.lines)} lines`,
      {
        transactions: figure(one.transactions),
        'receipts/s': figure(one.receiptsPerSecond),
        'log bytes/line': figure(one.logBytesPerLine),
        'start ms': figure(one.startMs),
        'start, no tables ms': figure(one.replayMs),
        'tables rebuilt/s': figure(one.rebuiltPerSecond),
        'RSS MB': figure(one.residentMegabytes),
      },
    ])
  }
  show('Goals', goalsOf(results), (goal: Goal) => [
    goal.name,
    {
      goal: `${goal.bound} ${figure(goal.wanted)} ${goal.unit}`,
      reached: figure(goal.reached),
      '': isMet(goal) ? 'met' : 'missed',
      spread: goal.spread ?? '',
    },
  ])
}

function show<T>(title: string, rows: readonly T[], row: (one: T) => [string, Record<string, string>]): void {
  console.log(`\n${title}`)
  console.table(Object.fromEntries(rows.map(row)))
}
