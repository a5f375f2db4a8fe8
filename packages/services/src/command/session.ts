import type { Connection } from '@tillwire/net'
import { LIMITS } from '../limits.ts'
import type { Task } from './command-list.ts'
import { type Ending, ProcessGroup } from './process-group.ts'

/** What the sessions of one server share. */
export interface CommandHost {
  /** What a line asks for, or why it cannot be had. */
  find(line: string): Task | string
  /** Commands that run now. */
  running: number
}

const LF = 0x0a
const CLIENT_ENDED = 'failed: it does not run when its client has ended'

/** One peer of the command service: its lines are done one after the other. */
export class CommandSession {
  readonly #host: CommandHost
  readonly #connection: Connection<string, Uint8Array, CommandSession>
  readonly #waiting: string[] = []
  #group: ProcessGroup | undefined
  #task: Task | undefined
  #held = false
  #clientEnded = false
  #ended = false

  constructor(host: CommandHost, connection: Connection<string, Uint8Array, CommandSession>) {
    this.#host = host
    this.#connection = connection
  }

  /** A line came. While a command runs the next ones wait here: the connection must go on reading, to notice that its peer is gone. */
  line(text: string): void {
    this.#waiting.push(text)
    if (this.#group === undefined) this.#next()
    else if (!this.#held && this.#waiting.length >= LIMITS.commandLinesWaitingMax) {
      this.#held = true
      this.#connection.pause()
    }
  }

  /** The peer says no more, and may be gone. What it has asked for is done, but for commands that are not to run then. */
  clientEnded(): void {
    this.#clientEnded = true
    if (this.#task?.whenClientEnds === 'kill') this.#group?.clientEnded()
  }

  /** The peer is gone: nobody is left to run anything for. */
  gone(): void {
    this.#ended = true
    this.#waiting.length = 0
    this.#group?.drop() // it counts until it has ended
  }

  #next(): void {
    while (this.#group === undefined && !this.#ended) {
      const line = this.#waiting.shift()
      if (line === undefined) break
      this.#do(line)
    }
    if (this.#held && this.#waiting.length === 0) {
      this.#held = false
      this.#connection.resume()
    }
  }

  #do(line: string): void {
    const lineEnd = /\r?\n$/.exec(line)?.[0] ?? ''
    const text = line.trim()
    if (text === 'BYE') {
      this.#ended = true
      return this.#connection.end()
    }
    if (text === '') return this.#say(`good${lineEnd}`) // nothing was asked for, and nothing went wrong
    const task = this.#host.find(text)
    if (typeof task === 'string') return this.#say(task + lineEnd)
    if (this.#clientEnded && task.whenClientEnds === 'kill') return this.#say(CLIENT_ENDED + lineEnd)
    if (this.#host.running >= LIMITS.commandsMax) return this.#say(`busy: ${LIMITS.commandsMax} commands are running, try again${lineEnd}`)
    this.#run(task, lineEnd)
  }

  #run(task: Task, lineEnd: string): void {
    const release = this.#connection.hold()
    let last: number | undefined
    this.#host.running++
    const ended = (ending: Ending): void => {
      this.#host.running--
      this.#group = undefined
      this.#task = undefined
      const words = this.#ended ? undefined : closingWords(ending, last !== undefined, task)
      if (words !== undefined) this.#say(last === undefined ? words + lineEnd : `${last === LF ? '' : '\n'}${words}\n`)
      this.#next()
      release()
    }
    const output = (chunk: Buffer): void => {
      last = chunk.at(-1)
      this.#forward(chunk)
    }
    this.#task = task
    try {
      this.#group = new ProcessGroup(task, { output, ended })
    } catch (error) {
      ended({ how: 'not started', error: error as Error }) // the platform tells some failures in an event, and some at once
    }
  }

  /** A peer that reads slowly slows the command down. */
  #forward(chunk: Buffer): void {
    if (this.#connection.send(chunk) || this.#connection.ending) return
    const group = this.#group
    group?.pause()
    this.#connection.writable().then(
      () => group?.resume(),
      () => {}, // the connection has ended, and with it the command
    )
  }

  #say(text: string): void {
    this.#connection.send(Buffer.from(text))
  }
}

/** What is said behind the output, if anything. A command that failed has mostly said why; one that said nothing must not look well. */
function closingWords(ending: Ending, said: boolean, { timeoutMs, outputBytesMax }: Task): string | undefined {
  switch (ending.how) {
    case 'exited':
      if (ending.code === 0) return said ? undefined : 'good'
      return said ? undefined : `failed: exit code ${ending.code}`
    case 'killed':
      return `failed: ended by ${ending.signal}`
    case 'not started':
      return `failed: cannot be started (${(ending.error as NodeJS.ErrnoException).code ?? ending.error.message})`
    case 'timed out':
      return `failed: not done within ${timeoutMs} ms`
    case 'client ended':
      return CLIENT_ENDED
    case 'said too much':
      return `cut: more than ${outputBytesMax} bytes of output`
  }
}
