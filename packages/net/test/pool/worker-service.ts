/** The service of these tests, as a module: it tells who it is, waits for a gate of the test's, and dies in several ways. */
import { createConnection } from 'node:net'
import { threadId } from 'node:worker_threads'
import { lines, type Service } from '@tillwire/net'

const me = `${process.pid}/${threadId}`

const does: Readonly<Record<string, (argument: string) => string | undefined | Promise<string | undefined>>> = {
  who: () => me,
  /** Answers once the gate at that port ends the connection. */
  wait: (port) =>
    new Promise((resolve) => {
      createConnection(Number(port), '127.0.0.1')
        .on('close', () => resolve(`through ${me}`))
        .resume()
    }),
  fail: () => {
    throw new RangeError('this message is refused')
  },
  throw: () => void setImmediate(() => Promise.reject(new Error('nobody catches this'))),
  exit: (code) => process.exit(Number(code)),
  block: () => {
    for (;;);
  },
}

export default function service(data: unknown): Service<string> {
  return {
    name: 'worker-service',
    framing: lines(),
    message(text) {
      if (text === 'data') return JSON.stringify(data)
      const [verb, argument] = text.split(' ') as [string, string?]
      return does[verb] === undefined ? text : does[verb](argument ?? '')
    },
  }
}
