import { createInterface, type Interface } from 'node:readline'
import { styleText } from 'node:util'
import type { Till, TillStatus, TransactionResult } from '@tillwire/stock'
import { count } from '../count.ts'
import { oneLine, printable } from '../failure.ts'
import { clearTyped, erasePrompt } from '../prompt-line.ts'
import { fencedText, renewedText, TAKEN_OVER } from '../takeover.ts'
import { Basket, type BasketLine, readEntry } from './basket.ts'
import { readHistory, writeHistory } from './history.ts'

const HELP = `  CODE          add one of an item: type or scan its code or barcode
  2 x CODE      add two; 0.75 x CODE adds three quarters of a kilogram
  (empty line)  close the sale
  undo, clear   take the last line back; begin again
  quit          leave (so does Ctrl-D); Ctrl-C clears what is typed, and leaves when there is nothing`

/** How a till stands that sends nothing, by the reason. */
const FENCED: Readonly<Record<string, string | undefined>> = { other_log: 'another server', epoch_fenced: 'taken over' }

/** What the counter needs. */
export interface CounterParts {
  readonly till: string
  readonly location: string
  /** Where the lines typed are kept for the arrow keys. */
  readonly historyFile: string
  readonly server: string
}

/** A till at the terminal: rings up sales, and shows how the till stands with its server. */
export class Counter {
  readonly #parts: CounterParts
  readonly #basket = new Basket()
  readonly #terminal: Interface
  readonly #interactive = process.stdin.isTTY === true
  #till: Till | undefined
  #state: TillStatus | undefined
  #left = false
  /** Sales that waited while the server was away. */
  #backlog = 0
  /** The prompt stands on the screen, with what was typed behind it. */
  #shown = false
  /** Leaving was asked for with sales in the basket; asked again it is meant. */
  #leaving = false

  constructor(parts: CounterParts) {
    this.#parts = parts
    this.#terminal = createInterface({
      input: process.stdin,
      output: process.stdout,
      terminal: this.#interactive && process.stdout.isTTY === true,
      history: readHistory(parts.historyFile),
      historySize: 500,
      removeHistoryDuplicates: true,
    })
  }

  /** Serves until the person leaves, the input ends, or the signal fires. Answers whether all that was rung up was sold. */
  async run(till: Till, stop: AbortSignal): Promise<boolean> {
    this.#till = till
    this.#state = till.state
    if (this.#interactive) this.#print(`till ${this.#parts.till}, sales at ${this.#parts.location}; "help" shows what can be typed`)
    const terminal = this.#terminal
    stop.addEventListener('abort', () => terminal.close())
    if (stop.aborted) terminal.close()
    terminal.on('SIGINT', () => this.#interrupted())
    terminal.on('history', (history) => writeHistory(this.#parts.historyFile, history))
    const closed = new Promise<void>((resolve) => terminal.once('close', resolve))
    terminal.on('line', (typed) => this.#entered(typed))
    this.#prompt()
    await closed
    this.#left = true
    if (this.#interactive) process.stdout.write('\n')
    if (this.#basket.empty) return true
    process.stderr.write(`the open basket was not sold: ${printable(this.#basket.toString())}\n`)
    return this.#interactive
  }

  /** The till's state has changed. */
  changed(state: TillStatus): void {
    const before = this.#state
    this.#state = state
    if (state.line === 'offline') this.#backlog = state.waiting
    if (before?.line !== state.line) {
      if (state.line === 'online') this.#print(styleText('green', `the server is there (${this.#parts.server})`))
      else if (state.line === 'offline') {
        const later = state.reason?.code === 'session_replaced' ? '' : ' and sent later'
        this.#print(styleText('yellow', `${oneLine(state.reason)}; sales are kept${later}`))
      } else if (state.line === 'fenced') this.#print(styleText('red', fencedText(state)))
    }
    if (state.tookOver && !before?.tookOver) this.#print(styleText('yellow', TAKEN_OVER))
    const renewed = state.renewed === before?.renewed ? undefined : renewedText(state)
    if (renewed !== undefined) this.#print(styleText('yellow', renewed))
    if (state.line === 'online') this.#tellOfBacklog(state.waiting)
    if (before?.line === state.line && (before.waiting !== state.waiting || before.serverTime !== state.serverTime)) this.#prompt()
  }

  /** After a time without the server: says when the sales of that time have arrived. */
  #tellOfBacklog(waiting: number): void {
    if (this.#backlog > 0 && waiting === 0) {
      this.#print(styleText('green', `${count(this.#backlog, 'sale')} that waited ${this.#backlog === 1 ? 'has' : 'have'} arrived`))
      this.#backlog = 0
    }
  }

  /** A sale has something to say. */
  result({ seq, flags, refused, field }: TransactionResult): void {
    if (refused !== undefined)
      this.#print(styleText('red', `sale ${seq} was refused: ${refused}${field === undefined ? '' : ` (${field})`}`))
    else if (flags !== undefined && flags.length > 0) this.#print(styleText('yellow', `sale ${seq} is booked, flagged ${flags.join(', ')}`))
  }

  #entered(typed: string): void {
    if (this.#left) return
    this.#shown = false // the line feed has been written: what comes is below it
    this.#leaving = false
    const entry = readEntry(typed)
    switch (entry.type) {
      case 'line':
        this.#add(entry.line)
        break
      case 'close':
        this.#close()
        break
      case 'undo': {
        const line = this.#basket.undo()
        this.#print(line === undefined ? 'the basket is empty' : printable(`taken back: ${line.quantity} × ${line.item}`))
        break
      }
      case 'clear':
        this.#basket.clear()
        this.#print('the basket is empty')
        break
      case 'help':
        this.#print(HELP)
        break
      case 'quit':
        this.#left = true // what was piped in behind it is not heeded
        this.#terminal.close()
        return
      case 'wrong':
        this.#print(styleText('red', entry.message))
    }
    this.#prompt()
  }

  #add(line: BasketLine): void {
    try {
      this.#till?.check({ kind: 'sale', at: Date.now(), location: this.#parts.location, lines: [...this.#basket.lines, line] })
    } catch (error) {
      this.#print(styleText('red', `not taken: ${oneLine(error)}`))
      return
    }
    this.#basket.add(line)
    this.#print(printable(this.#basket.toString()))
  }

  /** Ctrl-C: clears what was typed, as a shell does; with nothing typed it leaves, and asks first when there is a basket. */
  #interrupted(): void {
    if (this.#terminal.line !== '') clearTyped(this.#terminal)
    else if (this.#basket.empty || this.#leaving) this.#terminal.close()
    else {
      this.#leaving = true
      this.#print(`the basket has ${count(this.#basket.lines.length, 'line')}: an empty line sells it; Ctrl-C again leaves without selling`)
    }
  }

  #close(): void {
    if (this.#basket.empty || this.#till === undefined) return
    const { lines } = this.#basket
    try {
      const seq = this.#till.post({ kind: 'sale', at: Date.now(), location: this.#parts.location, lines })
      this.#print(styleText('bold', `sale ${seq}: ${count(lines.length, 'line')}, safe on this till`))
      this.#basket.clear()
    } catch (error) {
      this.#print(styleText('red', `not sold: ${oneLine(error)}`)) // the basket stays as it is
    }
  }

  /** Prints above the line that is being typed. */
  #print(text: string): void {
    if (this.#left) return
    this.#erase()
    process.stdout.write(`${text}\n`)
    this.#prompt()
  }

  #prompt(): void {
    if (!this.#terminal.terminal || this.#left) return
    this.#erase()
    const { line, waiting, serverTime, reason } = this.#state ?? {
      line: 'connecting',
      waiting: 0,
      serverTime: undefined,
      reason: undefined,
    }
    const heard = serverTime === undefined ? '' : ` ${new Date(serverTime).toTimeString().slice(0, 8)}`
    const queue = waiting === 0 ? '' : `, ${count(waiting, 'sale')} waiting`
    const stands = (line === 'fenced' && FENCED[reason?.code ?? '']) || line
    this.#terminal.setPrompt(`[${stands}${heard}${queue}] `)
    this.#terminal.prompt(true)
    this.#shown = true
  }

  #erase(): void {
    if (!this.#shown || !this.#terminal.terminal) return
    erasePrompt(this.#terminal, process.stdout)
    this.#shown = false
  }
}
