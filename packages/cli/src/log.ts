import { isatty } from 'node:tty'
import { type Logger, pino } from 'pino'

/** The server's log, on stderr: for people on a terminal, JSON lines anywhere else. */
export async function openLog(): Promise<Logger> {
  // Asked of the descriptor: in a thread, `process.stderr` does not know.
  if (!isatty(2)) return pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination({ dest: 2, sync: true }))
  const { default: pretty } = await import('pino-pretty') // only people need it
  return pino({ base: null }, pretty({ destination: 2, sync: true, translateTime: 'SYS:HH:MM:ss' }))
}
