import { bytes, type Framing, lenientLines, type Service } from '@tillwire/net'
import { LIMITS } from '../limits.ts'
import { isLoopback } from '../loopback.ts'
import { type CommandEntries, CommandList, DEFAULT_COMMANDS, type Task } from './command-list.ts'
import { type CommandHost, CommandSession } from './session.ts'

/** How to make {@link command}. */
export interface CommandOptions {
  /** What peers may run, by name. Default {@link DEFAULT_COMMANDS}. */
  readonly commands?: CommandEntries
  /**
   * Gives every line to `/bin/sh` as it is: whoever can connect owns this user's account. Peers that are neither on a Unix socket nor on a
   * loopback address are turned away. Not together with `commands`.
   */
  readonly shell?: boolean
}

/**
 * Runs commands for its peers. A line names one of a list, with the arguments that its entry allows, each of them checked; no shell reads
 * it. The answer is the command's output as it comes, `good` if there is none, one line where something failed; `BYE` ends the connection.
 * An answer has no mark at its end, as in the server that this one stands in for, whose clients take what they read for the answer.
 *
 * The output is bounded, and a peer that reads slowly slows the command down. A command that takes too long is ended with everything it has
 * started; so is one whose peer is gone, or whose server stops or is killed. A peer that has only ended its direction still gets the answers to
 * all that it asked for: that is how commands are piped in. Over TCP it looks the same as one that has closed without a word, until something is sent
 * to it; a command that would run on in silence for nobody may say `whenClientEnds: 'kill'` in its entry. A few run at once (`LIMITS`); over
 * that a peer is told `busy`. Needs a carrier of streams: a datagram's sender can be forged.
 *
 * @throws TypeError that names the key of `commands` that is wrong
 */
export function command(options: CommandOptions = {}): Service<string, Uint8Array, CommandSession> {
  const { shell = false, commands } = options
  if (shell && commands !== undefined) throw new TypeError('command: shell and commands exclude each other')
  if (process.platform === 'win32') throw new TypeError('command: there are no process groups on Windows')
  const list = shell ? undefined : new CommandList(commands ?? DEFAULT_COMMANDS)
  const host: CommandHost = { find: (line) => list?.find(line) ?? shellTask(line), running: 0 }
  return {
    name: 'command',
    framing: COMMAND_LINES,
    opened(connection) {
      const { carrier, address } = connection
      const refusal =
        carrier === 'udp' || carrier === 'unixgram'
          ? 'commands are not taken from datagrams\n'
          : shell && carrier !== 'unix' && !isLoopback(address)
            ? 'a shell is given to this machine only\n'
            : undefined
      if (refusal !== undefined) {
        connection.send(Buffer.from(refusal))
        connection.end()
      }
      return new CommandSession(host, connection)
    },
    message: (line, { state }) => void state.line(line),
    ended({ state }) {
      state.clientEnded()
      return false
    },
    farewell: (error) => Buffer.from(`${error.message}\n`),
    closed: ({ state }) => state.gone(),
  }
}

/** Texts in, with the line end that the peer uses or none; whatever bytes a command says out. */
const COMMAND_LINES: Framing<string, Uint8Array> = {
  name: 'command lines',
  decoder: (frameBytesMax) => lenientLines({ ends: 'keep' }).decoder(Math.min(frameBytesMax, LIMITS.commandLineBytesMax)),
  encode: bytes().encode,
}

function shellTask(line: string): Task {
  return {
    program: '/bin/sh',
    args: ['-c', '--', line],
    folder: undefined,
    environment: process.env,
    timeoutMs: LIMITS.commandMs,
    outputBytesMax: LIMITS.commandOutputBytesMax,
    errors: 'send',
    whenClientEnds: 'finish',
  }
}
