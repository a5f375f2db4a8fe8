import { FRAMING_NAMES } from '@tillwire/services'
import { Command, InvalidArgumentError, Option } from 'commander'
import { Caller, type CallOptions } from '../call/caller.ts'
import { sayInOrder } from '../call/in-order.ts'
import { Talk } from '../call/talk.ts'
import { EXIT, Failure } from '../failure.ts'
import { textLines } from '../input/index.ts'
import { endpoint } from '../options.ts'
import { write } from '../output.ts'
import { stopSignal } from '../stop-signal.ts'

interface CallFlags {
  readonly framing?: string
  readonly timeout: number
  readonly wait: boolean
  readonly all?: boolean
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  readonly servername?: string
  readonly insecure?: true
}

/** `tillwire call` */
export function callCommand(): Command {
  return new Command('call')
    .description('Talk to a server of lines or datagrams: send what is typed, print what comes.')
    .argument('<endpoint>', 'where the server listens', endpoint)
    .argument('[message]', 'send this alone, print the answer, and end')
    .addOption(new Option('-f, --framing <name>', 'what a message is (default: lines out, whatever comes in)').choices(FRAMING_NAMES))
    .option('-t, --timeout <ms>', 'how long connecting, and an answer, may take, in milliseconds', milliseconds, 5_000)
    .option('--no-wait', 'wait for no answers: for servers that give none')
    .option('-a, --all', 'send empty lines too, and end only at the end of the input')
    .option('--ca <file>', 'tls: the authority of the server, PEM')
    .option('--cert <file>', 'tls: our own certificate, PEM')
    .option('--key <file>', 'tls: its key, PEM')
    .option('--servername <name>', "tls: the name that the server's certificate must bear (default: the endpoint's host)")
    .option('--insecure', 'tls: talk to whoever answers, whatever its certificate says')
    .addHelpText(
      'after',
      `
On a terminal it prompts, and ends at an empty line or Ctrl-D, at the latest when the server ends; Ctrl-C clears what is typed. From a
pipe it sends line after line, prints the answers to standard output and nothing else, and hears the server out.

Without --framing a line is sent with a line feed (in a datagram without), and what comes is printed as it comes. "--framing bytes" leaves the
line feed out. Where messages cannot be told apart, the next line from a pipe waits for an answer to the last one, up to a second.

Exit code 1: nobody listens, the server broke off, or did not answer in time.`,
    )
    .action(call)
}

async function call(to: string, message: string | undefined, flags: CallFlags): Promise<void> {
  const { framing, timeout: timeoutMs, wait, all = false } = flags
  const stop = stopSignal()
  const { ca, cert, key, servername, insecure } = flags
  const own = Object.entries({ ca, cert, key, servername, insecureTrustAnyServer: insecure }).filter(([, value]) => value !== undefined)
  if (own.length > 0 && !/^tls:/i.test(to)) {
    throw new Failure('--ca, --cert, --key, --servername and --insecure are for an endpoint with tls://', EXIT.usage)
  }
  if ((cert === undefined) !== (key === undefined)) throw new Failure('--cert and --key belong together', EXIT.usage)
  const options: CallOptions = { framing, timeoutMs, stop, tls: own.length === 0 ? undefined : Object.fromEntries(own) }
  if (message === undefined && process.stdin.isTTY) {
    // Only once somebody is there: until then the terminal is as it was, so that Ctrl-C works and what is typed ahead waits in it.
    let talk: Talk | undefined
    const begun = (): Talk => (talk ??= new Talk(timeoutMs))
    const caller = await Caller.dial(to, options, (shown) => begun().hear(shown))
    return await begun().run(caller, stop)
  }
  const caller = await Caller.dial(to, options, write)
  const interrupted = new Promise<never>((_, reject) =>
    stop.addEventListener('abort', () => reject(new Failure('interrupted', EXIT.interrupted))),
  )
  const lines = message === undefined ? typed(all) : one(message)
  try {
    await Promise.race([sayInOrder(caller, lines, { timeoutMs, wait }), interrupted])
  } finally {
    caller.drop()
    process.stdin.destroy() // it may be open still, and nobody reads it
  }
}

async function* one(message: string): AsyncGenerator<string, void, undefined> {
  yield message
}

async function* typed(all: boolean): AsyncGenerator<string, void, undefined> {
  const lines = textLines(process.stdin)
  // Not `for await`: leaving it would wait for what is being read, and nothing more may come.
  for (let next = await lines.next(); next.done !== true; next = await lines.next()) {
    const { text, number } = next.value
    if (text === '' && !all) {
      if (await isMore(lines)) process.stderr.write(`the input from line ${number} on was not sent: an empty line ends it (see --all)\n`)
      return
    }
    yield text
  }
}

/** Is there more input already? Whoever types it line by line has nothing behind the empty one. */
function isMore(lines: AsyncIterator<unknown>): Promise<boolean> {
  return Promise.race([lines.next().then(({ done }) => done !== true), new Promise<false>((resolve) => setImmediate(resolve, false))])
}

function milliseconds(text: string): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < 1 || value > 2_147_483_647) {
    throw new InvalidArgumentError('it must be a whole number of milliseconds from 1 to 2147483647')
  }
  return value
}
