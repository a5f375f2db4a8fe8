import { clearLine, cursorTo } from 'node:readline'
import { REFUSALS, type Renewal, Till, type TillStatus } from '@tillwire/stock'
import { SingleBar } from 'cli-progress'
import { Command, Option } from 'commander'
import { count } from '../count.ts'
import { aboutText, firstWord, Hearings, notReached, othersText } from '../delivery.ts'
import { EXIT, Failure, oneLine } from '../failure.ts'
import { type InputFormat, openSource } from '../input/index.ts'
import { seconds, serverOption } from '../options.ts'
import { outboxFolder, outboxOption } from '../outbox-folder.ts'
import { Posting, type PostingSummary } from '../posting.ts'
import { fired, stopSignal } from '../stop-signal.ts'
import { cannotBeSent, newServerOption, renewedText, TAKEN_OVER, takeOverOption } from '../takeover.ts'

interface PostFlags {
  readonly server: string
  readonly till: string
  readonly location?: string
  readonly format?: InputFormat
  readonly outbox?: string
  readonly define?: boolean
  readonly again?: boolean
  readonly takeOver?: boolean
  readonly newServer?: boolean
  readonly timeout?: number
}

const SAVE_CURSOR = '\x1b7'

/** Refused transactions that are shown one by one. */
const REFUSALS_SHOWN = 5
const REASONS: Readonly<Record<string, string | undefined>> = REFUSALS

/** `tillwire post` */
export function postCommand(): Command {
  return new Command('post')
    .description('Post transactions from a file, through an outbox: interrupted and run again, it goes on, and nothing counts twice.')
    .argument('<file>', 'the input; - for standard input')
    .addOption(serverOption())
    .requiredOption('-t, --till <name>', 'the till that posts them, such as S01/T1')
    .option('-l, --location <code>', "the location of transactions that name none (default: the till's, before the slash)")
    .addOption(
      new Option('-f, --format <format>', 'how the input is written (default: by its ending)').choices(['ndjson', 'csv', 'baskets']),
    )
    .addOption(outboxOption())
    .option('--define', 'define the locations and items that the input names; what was refused for want of them is posted again')
    .option('--again', 'post the input although the same was posted before: it counts once more')
    .addOption(takeOverOption())
    .addOption(newServerOption())
    .option('--timeout <seconds>', 'give up when the server takes nothing for so long (default: never)', seconds)
    .addHelpText(
      'after',
      `
Formats:
  ndjson   one transaction a line: {"kind":"sale","location":"S01","lines":[{"item":"milk","quantity":2}]}
           (without seq; with "at" where it is not now)
  csv      a header and the columns item, quantity, and where wanted kind, location, at, ref, receipt;
           rows behind one another with the same receipt are one transaction
  baskets  one basket a line: item names between commas, one of each

The whole input is checked before the first transaction is taken. What was posted from the same outbox before, by its
content, is not posted again; a file that has grown is posted from where it ended. A file of another name that begins with
what was posted, and goes on, is posted only with --again. A file that was changed in its middle, or cut off, is another input:
all of it is posted. So the same sale twice on standard input is posted once, and that is said: --again posts it once more,
and an "at" makes it another. Where a run with --again was stopped, the same without --again goes on.
One till, one outbox: from another folder nothing is known of what was posted here. Give the same --outbox wherever you run it,
or name the folder of all outboxes in TILLWIRE_OUTBOXES.
Exit code 3: all was posted, and some were refused; "tillwire refused" shows them, mends them and drops them.`,
    )
    .action(post)
}

async function post(file: string, flags: PostFlags): Promise<void> {
  const stop = stopSignal()
  const started = performance.now()
  const goOn = `run the same command again${flags.again === true ? ', without --again,' : ''} and it goes on`
  const format = flags.format ?? formatOf(file)
  const source = await openSource(file, stop)
  try {
    const folder = outboxFolder(flags.till, flags.outbox)
    const progress = new Progress(flags.server)
    const hearings = new Hearings()
    let posting: Posting | undefined
    await using till = new Till({
      till: flags.till,
      outbox: folder,
      server: flags.server,
      takeOver: flags.takeOver === true,
      newServer: flags.newServer === true,
      waits: true,
      changed: (state) => progress.changed(state),
      result: (result) => {
        hearings.result(result)
        posting?.heard(result)
      },
    })
    const location = flags.location ?? (flags.till.includes('/') ? flags.till.slice(0, flags.till.indexOf('/')) : undefined)
    posting = new Posting(till, source, {
      format,
      location,
      define: flags.define === true,
      again: flags.again === true,
    })
    await posting.check(stop)
    tellOdd(posting.oddities)
    till.connect() // not before: an input that is wrong shall not take a till over
    await firstWord(till, stop, folder)
    if (stop.aborted) throw givenUp('stopped', till.state, folder, 'nothing of this input was taken now: run the same command again')
    progress.begin(posting.size, () => posting.done(till.acked), till.state)
    const finished = posting.run(stop)
    const timedOut = flags.timeout === undefined ? [] : [progress.stuck(flags.timeout)]
    const end = await Promise.race([finished, fired(stop).then(() => 'stopped' as const), ...timedOut])
      .catch((error) => {
        throw till.state.line === 'fenced' ? new Failure(cannotBeSent(till.state, folder)) : error
      })
      .finally(() => progress.end())
    if (end === 'stopped' || end === 'timeout') throw givenUp(end, till.state, folder, goOn)
    if (!end.reached) process.stderr.write(`${notReached(till)}\n`)
    if (isTold(end, file)) process.stderr.write(`${postedBefore(end)}\n`)
    const others = hearings.tellOfOthers(till, (seq) => posting.has(seq))
    report(posting, end, { define: flags.define === true, others, seconds: (performance.now() - started) / 1000 })
  } finally {
    source.close()
  }
}

function tellOdd(oddities: readonly string[]): void {
  for (const text of oddities.slice(0, REFUSALS_SHOWN)) process.stderr.write(`odd: ${text}\n`)
  if (oddities.length > REFUSALS_SHOWN) process.stderr.write(`odd: and ${oddities.length - REFUSALS_SHOWN} more\n`)
}

/** A pipe is rarely the same twice on purpose, and neither is a file of another name; unless the first run was stopped. */
function isTold({ before, beforeAs, resumed }: PostingSummary, file: string): boolean {
  return before !== 'nothing' && !resumed && (file === '-' || beforeAs !== undefined)
}

function postedBefore({ before, beforeAs, transactions }: PostingSummary): string {
  const from = beforeAs === undefined ? '' : ` from ${beforeAs}`
  const what =
    before === 'all'
      ? `nothing was posted: the same ${count(transactions, 'transaction')} came before${from}, and ${transactions === 1 ? 'counts' : 'count'} once`
      : `its beginning was not posted: the same came before${from}, and counts once`
  return `${what}; if it happened again, post it with --again`
}

interface Reported {
  readonly define: boolean
  /** How many transactions that are not of this input were refused. */
  readonly others: number
  readonly seconds: number
}

function report(posting: Posting, summary: PostingSummary, { define, others, seconds }: Reported): void {
  for (const { seq, line, refused, field } of posting.refused().take(REFUSALS_SHOWN)) {
    const at = posting.lineOf(seq)
    const where = at === undefined ? `transaction ${seq}` : `line ${at}, transaction ${seq}`
    const hint = refused === 'unknown_location' && !define ? '; define it, or add --define' : ''
    const why = REASONS[refused] === undefined ? '' : `: ${REASONS[refused]}` // a newer server has others
    process.stderr.write(`refused: ${where}: ${refused}${aboutText({ line, refused, field })}${why}${hint}\n`)
  }
  if (summary.refused > REFUSALS_SHOWN) process.stderr.write(`refused: and ${summary.refused - REFUSALS_SHOWN} more\n`)
  const { transactions, lines, refused, flagged, flags, before, mended } = summary
  if (flagged > 0) process.stderr.write(`flagged: ${flagsText(flags)}\n`)
  const known = before === 'nothing' ? '' : `; ${before} of it was in the outbox already`
  const earlier = mended === 0 ? known : `; ${mended} that had been refused ${mended === 1 ? 'was' : 'were'} posted again`
  process.stdout.write(
    `${count(transactions, 'transaction')}, ${count(lines, 'line')}, ${refused} refused, ${flagged} flagged, ${seconds.toFixed(1)} seconds${earlier}${othersText(others)}\n`,
  )
  if (refused + others > 0) process.exitCode = EXIT.refused
}

/** `2 oversold, 1 unknown_item` */
function flagsText(flags: Readonly<Record<string, number>>): string {
  return Object.entries(flags)
    .filter(([, times]) => times > 0)
    .map(([flag, times]) => `${times} ${flag}`)
    .join(', ')
}

function givenUp(end: 'stopped' | 'timeout', state: TillStatus, folder: string, goOn: string): Failure {
  const { line, waiting, reason } = state
  if (line === 'fenced') return new Failure(cannotBeSent(state, folder))
  const why = end === 'stopped' ? 'interrupted' : `the server takes nothing${reason === undefined ? '' : ` (${oneLine(reason)})`}`
  if (waiting === 0) return new Failure(`${why}; ${goOn}`, EXIT.interrupted)
  const rest = `${waiting} ${waiting === 1 ? 'transaction waits' : 'transactions wait'} in ${folder}; ${goOn}`
  return new Failure(`${why}; ${rest}`, end === 'stopped' ? EXIT.interrupted : EXIT.failed)
}

function formatOf(file: string): InputFormat {
  if (file === '-' || /\.(ndjson|jsonl)$/i.test(file)) return 'ndjson'
  if (/\.csv$/i.test(file)) return 'csv'
  throw new Failure(`the format of ${file} cannot be told by its ending; add --format ndjson, csv or baskets`, EXIT.usage)
}

/** A bar on a terminal, and a word when the server is away. */
class Progress {
  readonly #server: string
  #bar: SingleBar | undefined
  #done: () => number = () => 0
  #begun = false
  #waitingTold = false
  #takeoverTold = false
  #renewalTold: Renewal | undefined
  #moved = performance.now()
  #last = -1

  constructor(server: string) {
    this.#server = server
  }

  /** The input is known to be good: from now on it is posted. */
  begin(size: number, done: () => number, state: TillStatus): void {
    this.#done = done
    this.#begun = true
    if (process.stderr.isTTY && size > 0) {
      this.#bar = new SingleBar({
        format: 'posting {bar} {percentage}% {value}/{total}',
        stream: process.stderr,
        hideCursor: true,
        linewrap: true, // what is said above the bar may be longer than a line; the bar is cut all the same
        barsize: 30,
      })
      this.#bar.start(size, done())
    }
    this.changed(state)
  }

  changed(state: TillStatus): void {
    if (!this.#begun) return
    const { line, reason, tookOver, renewed } = state
    if (renewed !== undefined && renewed !== this.#renewalTold) {
      this.#renewalTold = renewed
      this.#say(renewedText(state) ?? '')
    }
    if (tookOver && !this.#takeoverTold) {
      this.#takeoverTold = true
      this.#say(TAKEN_OVER)
    }
    const done = this.#done()
    if (done !== this.#last) {
      this.#last = done
      this.#moved = performance.now()
      this.#bar?.update(done)
    }
    if (line === 'offline' && !this.#waitingTold) {
      this.#waitingTold = true
      this.#say(`waiting: ${oneLine(reason)}; Ctrl-C stops, nothing is lost`)
    } else if (line === 'online' && this.#waitingTold) {
      this.#waitingTold = false
      this.#say(`connected to ${this.#server}`)
    }
  }

  /** Resolves when nothing has moved for some seconds. */
  async stuck(seconds: number): Promise<'timeout'> {
    for (;;) {
      const left = this.#moved + seconds * 1000 - performance.now()
      if (left <= 0) return 'timeout'
      await new Promise<void>((resolve) => setTimeout(resolve, left).unref())
    }
  }

  end(): void {
    this.#bar?.update(this.#done())
    this.#bar?.stop()
    this.#bar = undefined
  }

  /** A line of its own above the bar. */
  #say(text: string): void {
    if (this.#bar === undefined) return void process.stderr.write(`${text}\n`)
    clearLine(process.stderr, 0)
    cursorTo(process.stderr, 0)
    process.stderr.write(`${text}\n${SAVE_CURSOR}`) // when it stops, the bar goes back to where it saved the cursor
    this.#bar.render()
  }
}
