import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { DatagramRelay, type RelayThread } from '../../src/pool/datagram-relay.ts'
import type { FromRelay } from '../../src/pool/messages.ts'
import { DatagramSocket } from '../../src/posix/index.ts'
import { manualClock } from '../../src/testing/index.ts'
import { holdUnixgram } from '../../src/transport/unixgram-socket.ts'
import { POSIX } from '../posix/posix-support.ts'
import { folder } from '../support.ts'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

interface Thread extends RelayThread {
  readonly heard: FromRelay[]
}

function thread(): Thread {
  const heard: FromRelay[] = []
  return { heard, send: (message) => void heard.push(message) }
}

/** A relay on a path, and a plain socket beside it. */
async function relaying(t: TestContext): Promise<{ relay: DatagramRelay; path: string; peer: DatagramSocket; peerPath: string }> {
  const dir = await folder(t)
  const [path, peerPath] = [join(dir, 'relay'), join(dir, 'peer')]
  const held = await holdUnixgram(path, 0o600, 1000)
  const relay = await DatagramRelay.open(7, held.fd, 1000, manualClock(), (error) => t.assert.fail(error))
  const peer = new DatagramSocket(1000)
  peer.bind(peerPath, 0o600)
  t.after(async () => {
    peer.close()
    await relay.close() // closes the descriptor, which here is not a duplicate
  })
  return { relay, path, peer, peerPath }
}

const say = (peer: DatagramSocket, path: string, text: string): void => assert.equal(peer.send(Buffer.from(text), path), 'taken')
const texts = ({ heard }: Thread): string[] =>
  heard.flatMap((message) => (message.say === 'datagram' ? [Buffer.from(message.bytes ?? []).toString()] : []))
const answer = (send: number, to: string): { say: 'reply'; relay: number; send: number; bytes: Uint8Array; to: string } => ({
  say: 'reply',
  relay: 7,
  send,
  bytes: Buffer.from('answer'),
  to,
})

describe('a relay of datagrams', { skip: !POSIX }, () => {
  it('reads nothing while there is no thread, and then what has waited', async (t) => {
    const { relay, path, peer } = await relaying(t)
    say(peer, path, 'early')
    for (let turns = 0; turns < 20; turns++) await turn()
    const one = thread()
    relay.join(one)
    while (one.heard.length === 0) await turn()
    assert.deepEqual(texts(one), ['early'])
  })

  it('gives each datagram to the thread with the fewest before it, in turn where they have the same', async (t) => {
    const { relay, path, peer } = await relaying(t)
    const [one, two] = [thread(), thread()]
    relay.join(one)
    relay.join(two)
    for (const text of ['a', 'b', 'c', 'd']) say(peer, path, text)
    while (one.heard.length + two.heard.length < 4) await turn()
    assert.deepEqual(
      [texts(one), texts(two)],
      [
        ['a', 'c'],
        ['b', 'd'],
      ],
    )
    for (let taken = 0; taken < 2; taken++) relay.hear(two, { say: 'taken', relay: 7 })
    for (const text of ['e', 'f']) say(peer, path, text)
    while (two.heard.length < 4) await turn()
    assert.deepEqual(texts(two), ['b', 'd', 'e', 'f'])
  })

  it('tells a thread of one that was too large, for it to count', async (t) => {
    const { relay, path, peer } = await relaying(t)
    const one = thread()
    relay.join(one)
    const large = new DatagramSocket(2000)
    t.after(() => large.close())
    assert.equal(large.send(Buffer.alloc(1001), path), 'taken')
    while (one.heard.length === 0) await turn()
    assert.deepEqual(one.heard, [{ say: 'datagram', relay: 7, bytes: undefined, from: undefined }])
    say(peer, path, 'and goes on')
    while (one.heard.length === 1) await turn()
    assert.deepEqual(texts(one), ['', 'and goes on'])
  })

  it('says of each answer that it has left, or why it cannot', async (t) => {
    const { relay, peer, peerPath } = await relaying(t)
    const one = thread()
    relay.join(one)
    relay.hear(one, answer(1, peerPath))
    relay.hear(one, answer(2, `${peerPath}-that-is-not-there`))
    while (one.heard.length < 2) await turn()
    assert.equal(peer.receive()?.bytes.toString(), 'answer')
    assert.deepEqual(one.heard[0], { say: 'sent', relay: 7, send: 1, error: undefined })
    const refused = one.heard[1] as { readonly error: { readonly code: string } }
    assert.equal(refused.error.code, 'connect_refused')
  })

  it('gives up what waits for a peer when a thread forgets it, or is gone', async (t) => {
    const { relay, peer, peerPath } = await relaying(t)
    const [one, two] = [thread(), thread()]
    relay.join(one)
    relay.join(two)
    const fill = new DatagramSocket(10)
    t.after(() => fill.close())
    while (fill.send(Buffer.from('x'), peerPath) === 'taken');
    relay.hear(one, answer(1, peerPath))
    relay.hear(one, answer(2, peerPath))
    relay.hear(two, answer(1, peerPath))
    relay.hear(one, { say: 'forget', relay: 7, send: 1 })
    assert.equal(relay.waiting, 2 * 'answer'.length)
    relay.leave(two)
    assert.equal(relay.waiting, 'answer'.length)
    relay.leave(one)
    assert.equal(relay.waiting, 0)
    while (peer.receive()?.bytes.toString() === 'x');
    assert.deepEqual([one.heard, two.heard], [[], []])
  })
})
