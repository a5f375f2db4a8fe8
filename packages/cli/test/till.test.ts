import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { COMMAND, Workshop } from './support/tillwire.ts'

const CHAIN =
  '{"kind":"location","location":"S01"}\n{"kind":"item","item":"milk","barcodes":["400"]}\n{"kind":"opening","location":"S01","lines":[{"item":"milk","quantity":100}]}\n'

async function tillArgs(at: Workshop): Promise<readonly string[]> {
  return ['till', '--location', 'S01', '--till', 'T1', '--server', at.endpoint]
}

async function define(at: Workshop): Promise<void> {
  const end = await at.runWith(CHAIN, 'post', '-', '--till', 'W01/OFFICE', '--server', at.endpoint)
  assert.equal(end.code, 0, end.err)
}

describe('tillwire till', { concurrency: 2 }, () => {
  it('sells at the location that its name begins with, where none is said', async (t) => {
    const at = await Workshop.open(t)
    await at.serve()
    await define(at)
    const sold = await at.runWith('milk\n\n', 'till', '--till', 'S01/T9', '--server', at.endpoint)
    assert.equal(sold.code, 0, sold.err)
    assert.deepEqual(await at.onHand(), { 'S01 milk': 99 })
    const nowhere = await at.runWith('milk\n\n', 'till', '--till', 'T9', '--server', at.endpoint)
    assert.deepEqual([nowhere.code, nowhere.err], [2, 'tillwire: name the location that sells: --location S01, or --till S01/T2\n'])
  })

  it('sells while the server is away, and the sales arrive once when both are back', async (t) => {
    const at = await Workshop.open(t)
    const args = await tillArgs(at)
    const alone = await at.runWith('2 x 400\n400\n\n3 x milk\n\n', ...args)
    assert.equal(alone.code, 0)
    assert.match(alone.out, /^2 lines, 3 units: 2 × 400, 1 × 400$/m)
    assert.match(alone.out, /^sale 1: 2 lines, safe on this till$/m)
    assert.match(alone.out, /^sale 2: 1 line, safe on this till$/m)
    assert.match(alone.err, /^2 sales waiting in outbox\/S01-T1; sent when the till is opened again$/m)

    const server = await at.serve()
    await define(at)
    const back = at.start(...args)
    await back.printed(/^the server is there/m)
    back.endInput('400\n\n')
    const end = await back.ended
    assert.equal(end.code, 0)
    assert.equal(end.err, '')
    assert.deepEqual(await at.onHand(), { 'S01 milk': 93 })
    const third = await at.run(...args)
    assert.equal(third.err, '')
    assert.deepEqual(await at.onHand(), { 'S01 milk': 93 })
    await server.kill('SIGTERM')
  })

  it('goes on selling when the server goes away and comes back meanwhile', async (t) => {
    const at = await Workshop.open(t)
    const server = await at.serve()
    await define(at)
    const till = at.start(...(await tillArgs(at)))
    await till.printed(/^the server is there/m)
    till.type('milk\n\n')
    await till.printed(/^sale 1:/m)
    await server.kill('SIGKILL')
    await till.printed(/; sales are kept and sent later$/m)
    till.type('10 x milk\n\n')
    await till.printed(/^sale 2:/m)
    await at.serve()
    await till.printed(/the server is there[\s\S]*the server is there/)
    till.endInput('20 x milk\n\n')
    assert.equal((await till.ended).err, '')
    assert.deepEqual(await at.onHand(), { 'S01 milk': 69 })
  })

  it('takes back, clears, and says what it does not take', async (t) => {
    const at = await Workshop.open(t)
    const { out, err, code } = await at.runWith(
      'undo\nmilk\neggs\nundo\n0 x milk\n2 x\na\u0007b\nclear\nhelp\ntea\nquit\nmilk\n\n',
      ...(await tillArgs(at)),
    )
    assert.match(out, /^the basket is empty\n1 line, 1 unit: 1 × milk\n2 lines, 2 units: 1 × milk, 1 × eggs\ntaken back: 1 × eggs\n/m)
    assert.match(out, /^the quantity must be more than 0$/m)
    assert.match(out, /^2 of what\?/m)
    assert.match(out, /^not taken: lines\[1\]\.item must be text .* without control characters/m)
    assert.match(out, /^ {2}undo, clear/m)
    assert.doesNotMatch(out, /safe on this till/)
    assert.match(err, /^the open basket was not sold: 1 line, 1 unit: 1 × tea$/m)
    assert.equal(code, 1, 'something that was typed was not sold')
  })

  it('tells what became of a sale', async (t) => {
    const at = await Workshop.open(t)
    await at.serve()
    const till = at.start(...(await tillArgs(at)))
    till.type('milk\n\n')
    await till.printed(/^sale 1 was refused: unknown_location \(location\)$/m)
    await define(at)
    till.type('500 x milk\n\n')
    await till.printed(/^sale 2 is booked, flagged oversold$/m)
    till.endInput()
    assert.equal((await till.ended).code, 3)
  })
})

const SCRIPT = '/usr/bin/script'
const skip = existsSync(SCRIPT) ? false : 'there is no script(1) to make a terminal with'

describe('tillwire till on a terminal', () => {
  it('keeps a half-typed line whole while the server goes and comes, and remembers what was typed', { skip }, async (t) => {
    const at = await Workshop.open(t)
    const onTerminal = async () =>
      at.startCommand(SCRIPT, ['-qec', `stty cols 50; exec ${COMMAND} ${(await tillArgs(at)).join(' ')}`, '/dev/null'])
    const first = await onTerminal()
    await first.printed(/\[(connecting|offline)\] /)
    await first.printed(/sales are kept and sent later/)
    first.type('2 x a rather long name of an item that goes over')
    await first.printed(/goes over/)
    await at.serve()
    await first.printed(/the server is there/)
    await first.printed(/\[online[^\]]*\] 2 x a rather long name of an item that goes over/)
    first.type(' the edge\r')
    await first.printed(/1 line, 2 units: 2 × a rather long name of an item that goes over the edge/)
    first.type('\r')
    await first.printed(/sale 1: 1 line, safe on this till/)
    first.type('half\u0003') // Ctrl-C clears what is typed
    first.type('\u0003') // and leaves when there is nothing
    assert.equal((await first.ended).code, 3)
    assert.match(await readFile(at.path('outbox/S01-T1/history'), 'utf8'), /^2 x a rather long name of an item that goes over the edge\n/)

    const second = await onTerminal()
    await second.printed(/\[online[^\]]*\] /)
    second.type('\u001b[A') // up
    await second.printed(/2 x a rather long name of an item that goes over the edge/)
    second.type('\u0003milk\r')
    await second.printed(/1 line, 1 unit: 1 × milk/)
    second.type('\u0003')
    await second.printed(/the basket has 1 line: an empty line sells it; Ctrl-C again leaves/)
    second.type('\u0003')
    const end = await second.ended
    assert.match(end.out, /the open basket was not sold: 1 line, 1 unit: 1 × milk/)
    assert.equal(end.code, 0)
  })

  it('shows a bar while it posts, and what is said stands above it', { skip }, async (t) => {
    const at = await Workshop.open(t)
    const command = `printf 'milk\\neggs\\n' | ${COMMAND} post - --format baskets --define --till S01/T1 --server ${at.endpoint}`
    const post = at.startCommand(SCRIPT, ['-qec', command, '/dev/null'])
    await post.printed(/waiting: unix:.*Ctrl-C stops, nothing is lost/)
    await post.printed(/posting -+ 0% 0\/5/)
    await at.serve()
    const end = await post.ended
    assert.match(end.out, /posting =+ 100% 5\/5/)
    assert.match(end.out, /2 transactions, 2 lines, 0 refused, 2 flagged/)
    assert.equal(end.code, 0)
  })
})
