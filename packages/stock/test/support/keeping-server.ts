import type { TestContext } from 'node:test'
import { chainBefore, chainBehind } from '../../src/till/chain.ts'
import { type LinePeer, type LineServer, lineServer, TIME } from './line-server.ts'

interface Sent {
  readonly seq: number
  readonly id: string
}

/** What such a server knows of its one till: a plain model of exactly once. */
export interface Kept {
  epoch: number
  last: number
  /** From chain 0 on, of the epoch. */
  chains: string[]
  /** Every line that was posted, by its id, without its number: each once. */
  readonly posted: Map<string, string>
}

/** How it behaves beside that. */
export interface KeepingOptions {
  /** Says its chain in the welcome. */
  readonly saysChain?: boolean
  /** Compares the till's chain at hello, and gives another epoch where it is another. */
  readonly compares?: boolean
  /** What it has to say to a line: flags, a refusal. */
  readonly says?: (line: string) => object | undefined
}

/** A server for one till, which keeps what it is sent, and posts each id once. `kept` may be set back, as a server that is restored is. */
export interface KeepingServer extends LineServer {
  kept: Kept
  /** Ends every connection. */
  drop(): void
}

export function newKept(): Kept {
  return { epoch: 0, last: 0, chains: [], posted: new Map() }
}

export function copyOf(kept: Kept): Kept {
  return { ...kept, chains: [...kept.chains], posted: new Map(kept.posted) }
}

export async function keepingServer(t: TestContext, till: string, options: KeepingOptions = {}): Promise<KeepingServer> {
  const { saysChain = true, compares = false, says } = options
  const peers = new Map<number, LinePeer>()
  const owed = new Map<LinePeer, object[]>()
  const server = await lineServer(t, (line, peer, connection) => {
    peers.set(connection, peer)
    const sent = JSON.parse(line) as { hello?: number; seq?: number; ask?: number }
    if (sent.hello !== undefined) greet(JSON.parse(line), peer)
    else if (sent.seq !== undefined) owe(peer, post(line))
    else peer.say({ answer: sent.ask, position: 1, time: TIME })
  })
  const keeping: KeepingServer = Object.assign(Object.create(server) as LineServer, {
    kept: newKept(),
    drop: () => {
      for (const { socket } of peers.values()) socket.destroy()
      peers.clear()
    },
  })

  function begin(epoch: number): void {
    Object.assign(keeping.kept, { epoch, last: 0, chains: [chainBefore(till, epoch)] })
  }

  function greet(hello: { epoch: number; last?: number; chain?: string }, peer: LinePeer): void {
    const { kept } = keeping
    if (hello.epoch > 0 && hello.epoch < kept.epoch) {
      peer.say({ error: { code: 'epoch_fenced', message: `till ${till} is in epoch ${kept.epoch} now` } })
      return
    }
    const known = hello.last === undefined ? undefined : kept.chains[hello.last]
    const other = compares && hello.epoch === kept.epoch && hello.chain !== undefined && known !== undefined && known !== hello.chain
    if (hello.epoch === 0 || other) begin(kept.epoch + 1)
    else if (hello.epoch > kept.epoch) begin(hello.epoch)
    const chain = saysChain ? { chain: kept.chains[kept.last] } : {}
    peer.say({ welcome: 1, server: 'keeping', time: TIME, till, epoch: kept.epoch, last: kept.last, ...chain })
  }

  /** One acknowledgement for what came in one turn, as a server does that writes in batches. */
  function owe(peer: LinePeer, result: object | undefined): void {
    const waiting = owed.get(peer)
    if (waiting !== undefined) {
      if (result !== undefined) waiting.push(result)
      return
    }
    const results = result === undefined ? [] : [result]
    owed.set(peer, results)
    setImmediate(() => {
      owed.delete(peer)
      peer.say({ ack: keeping.kept.last, position: 1, time: TIME, ...(results.length > 0 ? { results } : {}) })
    })
  }

  function post(line: string): object | undefined {
    const { kept } = keeping
    const { seq, id } = JSON.parse(line) as Sent
    const rest = line.slice(line.indexOf(',') + 1)
    const said = says?.(line)
    if (seq > kept.last + 1) return { seq, refused: 'seq_gap', expected: kept.last + 1 }
    if (seq <= kept.last) {
      const same = chainBehind(kept.chains[seq - 1] as string, line) === kept.chains[seq]
      return { seq, ...(same ? { repeated: true, position: 1, ...said } : { refused: 'seq_reused' }) }
    }
    kept.last = seq
    kept.chains[seq] = chainBehind(kept.chains[seq - 1] as string, line)
    const before = kept.posted.get(id)
    if (before !== undefined && before !== rest) return { seq, refused: 'exists_with_different_content', field: 'id' }
    kept.posted.set(id, rest)
    if (before !== undefined) return { seq, repeated: true, position: 1, ...said }
    return said === undefined ? undefined : { seq, ...said }
  }
  return keeping
}
