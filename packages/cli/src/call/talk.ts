import { createInterface, type Interface } from 'node:readline'
import { oneLine } from '../failure.ts'
import { write } from '../output.ts'
import { clearTyped, erasePrompt } from '../prompt-line.ts'
import { fired } from '../stop-signal.ts'
import type { Caller } from './caller.ts'
import { forTerminal } from './terminal-text.ts'

/** The prompt comes back when an answer has been silent for so long… */
const QUIET_MS = 40
/** …or when none has begun for so long. */
const UNANSWERED_MS = 300
/** On leaving, the server has so long to finish what it says. */
const LEAVE_MS = 500

/** A person talks to a server: lines out, answers in, and neither in the middle of the other. */
export class Talk {
  readonly #terminal: Interface
  readonly #timeoutMs: number
  readonly #safe = process.stdout.isTTY ? forTerminal() : undefined
  readonly #output: NodeJS.WriteStream
  #caller: Caller | undefined
  #prompting: NodeJS.Timeout | undefined
  #shown = false
  /** What was printed last ended a line. */
  #atStart = true
  #left = false

  /** @param timeoutMs - a datagram that has no answer after so long is said to have none */
  constructor(timeoutMs: number) {
    const { stdin: input, stdout, stderr } = process
    const output = stdout.isTTY ? stdout : stderr // answers may go to a file, the prompt does not
    this.#timeoutMs = timeoutMs
    this.#output = output
    this.#terminal = createInterface({ input, output, terminal: output.isTTY === true, prompt: '> ' })
  }

  /** Shows what the server says, above what is being typed. */
  async hear(shown: string | Buffer): Promise<void> {
    const text = this.#safe?.(shown) ?? shown
    if (text.length === 0) return
    this.#erase()
    this.#atStart = process.stdout.isTTY !== true || text.toString().endsWith('\n')
    this.#promptIn(QUIET_MS)
    await write(text)
  }

  /** Until an empty line, Ctrl-D, Ctrl-C with nothing typed, the signal, or the server's end. */
  async run(caller: Caller, stop: AbortSignal): Promise<void> {
    this.#caller = caller
    const terminal = this.#terminal
    const closed = new Promise<void>((resolve) => terminal.once('close', resolve))
    void fired(stop).then(() => terminal.close())
    terminal.on('SIGINT', () => this.#interrupted())
    terminal.on('line', (line) => this.#typed(line))
    const ended = caller.ended()
    ended.catch(() => {}) // looked at below
    this.#promptIn(QUIET_MS)
    await Promise.race([closed, ended.catch(() => {})])
    this.#left = true
    clearTimeout(this.#prompting)
    this.#erase()
    const theirs = caller.over
    terminal.close()
    if (!theirs) await this.#leave(caller)
    if (!this.#atStart) process.stdout.write('\n')
    if (theirs) await ended
  }

  async #leave(caller: Caller): Promise<void> {
    if (!caller.datagrams) void caller.hangUp()
    await caller.heard(LEAVE_MS)
    caller.drop()
  }

  #typed(line: string): void {
    this.#shown = false // the line feed has been written: what comes is below it
    this.#atStart = true
    if (line === '') return this.#terminal.close()
    this.#promptIn(UNANSWERED_MS)
    const caller = this.#caller as Caller
    const heard = caller.datagrams ? caller.heard(this.#timeoutMs) : undefined
    void heard?.then((answered) => answered || caller.over || this.#note(`no answer within ${this.#timeoutMs} ms`))
    caller.say(line).catch((error) => this.#note(oneLine(error)))
  }

  /** Ctrl-C clears what was typed, as a shell does; with nothing typed it leaves. */
  #interrupted(): void {
    if (this.#terminal.line === '') return this.#terminal.close()
    clearTyped(this.#terminal)
  }

  #note(text: string): void {
    if (this.#left) return
    this.#erase()
    process.stderr.write(`${this.#atStart ? '' : '\n'}${text}\n`)
    this.#atStart = true
    this.#promptIn(0)
  }

  /** Takes the prompt, and what is typed behind it or without it, off the screen. */
  #erase(): void {
    if (this.#terminal.terminal && (this.#shown || this.#terminal.line !== '')) erasePrompt(this.#terminal, this.#output)
    this.#shown = false
  }

  #promptIn(ms: number): void {
    clearTimeout(this.#prompting)
    this.#prompting = setTimeout(() => {
      if (this.#left) return
      if (!this.#atStart) process.stdout.write('\n')
      this.#atStart = true
      this.#shown = true
      this.#terminal.prompt(true)
    }, ms)
  }
}
