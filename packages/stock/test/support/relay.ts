import { once } from 'node:events'
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { later } from './later.ts'

/** Stands between a till and its server, and can lose what passes. */
export interface Relay {
  readonly endpoint: string
  /** Decides, for each chunk of replies, whether it passes. False: the line breaks there. */
  passes: (replies: string) => boolean
  /** Breaks every line that stands. */
  cut(): void
}

/** Relays until the end of the test. */
export async function relay(t: TestContext, to: string): Promise<Relay> {
  const port = Number(new URL(to).port)
  const pairs = new Set<() => void>()
  const server = createServer((near: Socket) => {
    const far = createConnection({ host: '127.0.0.1', port })
    const cut = (): void => {
      pairs.delete(cut)
      near.destroy()
      far.destroy()
    }
    pairs.add(cut)
    for (const socket of [near, far]) socket.on('error', cut).on('close', cut)
    near.pipe(far)
    far.on('data', (chunk) => {
      if (self.passes(chunk.toString())) near.write(chunk)
      else cut()
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const self: Relay = {
    endpoint: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    passes: () => true,
    cut: () => {
      for (const cut of [...pairs]) cut()
    },
  }
  later(t, () => {
    server.close()
    self.cut()
  })
  return self
}
