import { NetError } from '../errors.ts'

/** Something that is to be sent. */
export interface Job<Line> {
  start(line: Line): void
  fail(error: NetError): void
}

interface SendingLine {
  readonly ending: boolean
  readonly congested: boolean
  writable(): Promise<void>
}

/** What is to be sent, in order: at once while a line is up and takes it, else once one does. */
export class Waiting<Line extends SendingLine> {
  readonly #most: number
  readonly #jobs = new Set<Job<Line>>()
  #line: Line | undefined

  constructor(most: number) {
    this.#most = most
  }

  add(job: Job<Line>): void {
    if (this.#line?.ending === false && this.#jobs.size === 0) return job.start(this.#line)
    if (this.#jobs.size < this.#most) this.#jobs.add(job)
    else job.fail(new NetError('queue_full', `no more than ${this.#most} messages may wait for the line to be up again`))
  }

  remove(job: Job<Line>): void {
    this.#jobs.delete(job)
  }

  up(line: Line): void {
    this.#line = line
    void this.#drain(line)
  }

  down(): void {
    this.#line = undefined
  }

  /** There will be no line any more. */
  close(error: NetError): void {
    this.#line = undefined
    for (const job of this.#jobs) job.fail(error)
    this.#jobs.clear()
  }

  /** What waited must not overflow the queue of the line. */
  async #drain(line: Line): Promise<void> {
    for (const job of this.#jobs) {
      if (this.#line !== line || line.ending) return
      this.#jobs.delete(job)
      job.start(line)
      if (line.congested && !(await hasRoom(line))) return
    }
  }
}

/** False when the line has ended: whoever waited waits for the next one. */
function hasRoom(line: SendingLine): Promise<boolean> {
  return line.writable().then(
    () => true,
    () => false,
  )
}
