import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { Reader } from '@tillwire/stock'
import { Workshop } from './support/tillwire.ts'

describe('tillwire serve', { concurrency: 2 }, () => {
  it('says where it listens, with the port that the system chose', async (t) => {
    const at = await Workshop.open(t)
    const server = at.start('serve', '--listen', 'tcp://127.0.0.1:0', '--listen', at.endpoint)
    const [, port] = await server.printed(/^stock listening on tcp:\/\/127\.0\.0\.1:(\d+)\nstock listening on unix:/m)
    assert.notEqual(port, '0')
    await using reader = await Reader.connect(`tcp://127.0.0.1:${port}`)
    assert.equal(reader.welcome.welcome, 1)
  })

  it('says who holds the data folder, and who has the port', async (t) => {
    const at = await Workshop.open(t)
    const server = at.start('serve', '--data', 'd', '--listen', 'tcp://127.0.0.1:0')
    const [, endpoint] = await server.printed(/^stock listening on (.*)$/m)
    const second = await at.run('serve', '--data', 'd', '--listen', 'tcp://127.0.0.1:0')
    assert.equal(second.code, 1)
    assert.match(
      second.err,
      new RegExp(`^tillwire: the data folder ${at.path('d')} is in use by process ${server.pid}, since .*, listening on ${endpoint}\n$`),
    )
    const third = await at.run('serve', '--data', 'e', '--listen', endpoint as string)
    assert.equal(third.code, 1)
    assert.match(third.err, new RegExp(`^tillwire: ${endpoint}: somebody already listens on the endpoint.*\n$`))
    await server.kill('SIGKILL')
    const fourth = at.start('serve', '--data', 'd', '--listen', 'tcp://127.0.0.1:0')
    await fourth.printed(/^stock listening/m) // a killed holder holds nothing
  })

  it('says what is wrong with a data folder that cannot be', async (t) => {
    const at = await Workshop.open(t)
    await writeFile(at.path('file'), '')
    const end = await at.run('serve', '--data', 'file', '--listen', at.endpoint)
    assert.match(end.err, /^tillwire: the data folder .*\/file cannot be used: .*\n$/)
    assert.equal(end.code, 1)
  })

  it('listens on what carries its protocol', async (t) => {
    const at = await Workshop.open(t)
    for (const [endpoint, why] of [
      ['udp://127.0.0.1:0', 'a stock server is at tcp:// or unix://, not at udp://'],
      ['unixgram:///tmp/never', 'a stock server is at tcp:// or unix://, not at unixgram://'],
      ['tls://127.0.0.1:0', 'this version has no TLS: it must be tcp:// or unix://'],
    ] as const) {
      const { code, err } = await at.run('serve', '--listen', endpoint)
      assert.equal(code, 2)
      assert.ok(err.includes(why), err)
    }
    const asked = await at.run('levels', '--server', 'udp://127.0.0.1:1')
    assert.deepEqual([asked.code, asked.out], [2, ''])
  })

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`ends with 0 on ${signal}, and has what it acknowledged`, async (t) => {
      const at = await Workshop.open(t)
      const server = await at.serve()
      await writeFile(at.path('b'), 'milk\n'.repeat(3_000))
      const poster = at.start('post', 'b', '--format', 'baskets', '--till', 'S01/T1', '--define', '--server', at.endpoint)
      const reader = await Reader.connect(at.endpoint)
      for await (const said of reader.watch()) if ('event' in said) break
      const end = await server.kill(signal)
      assert.equal(end.code, 0, end.err)
      assert.match(end.err, /"stopped"/)
      const told = /"position":(\d+),"msg":"stopped"/.exec(end.err)?.[1]
      const again = await at.serve()
      if (Number(told) > 0) await again.printed(new RegExp(`"position":${told},.*"ledger recovered"`))
      assert.equal((await poster.ended).code, 0)
      assert.deepEqual(await at.onHand(), { 'S01 milk': -3_000 })
    })
  }

  it('writes its log as JSON lines where nobody looks at it', async (t) => {
    const at = await Workshop.open(t)
    const { err } = await (await at.serve()).kill('SIGTERM')
    for (const line of err.trim().split('\n')) assert.equal(typeof (JSON.parse(line) as { msg: unknown }).msg, 'string')
  })
})

describe('tillwire serve --sample', () => {
  it('fills an empty ledger with a chain that lives, and goes on with it the next time', async (t) => {
    const at = await Workshop.open(t)
    const server = await at.serve('--sample')
    await server.printed(/6 simulated tills are selling/)
    await server.printed(/npx tillwire watch --server unix:/)
    const levels = await at.levels()
    assert.equal(levels.length, 160)
    assert.ok(levels.every(({ onHand }) => onHand > 50))
    const watch = at.start('watch', '--server', at.endpoint)
    await watch.printed(/^\d\d:\d\d:\d\d {2}S0\d +A0\d\d +\d+ +\([+-]\d+\)$/m)
    assert.equal((await server.kill('SIGTERM')).code, 0)

    const again = await at.serve('--sample')
    await again.printed(/"ledger recovered"/)
    await again.printed(/6 simulated tills are selling/)
    assert.equal((await at.levels()).length, 160)
    assert.equal((await again.kill('SIGINT')).code, 0)
    // And without it nobody sells.
    const plain = await at.serve()
    await plain.printed(/"ledger recovered"/)
    assert.equal((await at.levels()).length, 160)
  })

  it('writes no sample into a ledger of somebody else', async (t) => {
    const at = await Workshop.open(t)
    const server = await at.serve()
    await writeFile(at.path('b'), 'milk\n')
    await at.run('post', 'b', '--format', 'baskets', '--till', 'S01/T1', '--define', '--server', at.endpoint)
    await server.kill('SIGTERM')
    const sample = await at.serve('--sample')
    await sample.printed(/the ledger is not empty and is no sample: no tills are simulated/)
    assert.deepEqual(await at.onHand(), { 'S01 milk': -1 })
    assert.equal((await sample.kill('SIGTERM')).code, 0)
  })

  it('ends with a word when its sample cannot begin', async (t) => {
    const at = await Workshop.open(t)
    await writeFile(at.path('b'), 'milk\n')
    const holder = at.start(
      'post',
      'b',
      '--format',
      'baskets',
      '--till',
      'W01/OFFICE',
      '--outbox',
      'data/sample/office',
      '--server',
      'unix:///nobody',
    )
    await holder.printed(/^waiting: /m)
    const end = await at.run('serve', '--sample', '--listen', at.endpoint)
    assert.match(end.err, /^tillwire: the outbox .* is in use by process \d+/m)
    assert.equal(end.code, 1)
  })
})
