import assert from 'node:assert/strict'
import { lstat, readdir, unlink, utimes } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { NetError } from '../../src/index.ts'
import { DatagramSocket } from '../../src/posix/index.ts'
import { type SocketPlace, takePlace } from '../../src/transport/socket-file.ts'
import { POSIX } from '../posix/posix-support.ts'
import { code, folder } from '../support.ts'

const refused = new NetError('connect_refused', 'nobody')

function bind(t: TestContext, path: string): void {
  const socket = new DatagramSocket(1)
  t.after(() => socket.close())
  socket.bind(path, 0o600)
}

function leaveStale(path: string): void {
  const socket = new DatagramSocket(1)
  socket.bind(path, 0o600)
  socket.close()
}

describe('the place of a socket', { skip: !POSIX }, () => {
  it('that somebody else has taken between the look and the move stays theirs, though the file has the number of the stale one', async (t) => {
    const path = join(await folder(t), 's')
    let knocks = 0
    let sameNumber = false
    const place: SocketPlace = {
      path,
      name: 'here',
      async knock() {
        if (++knocks > 1) return
        const { ino } = await lstat(path)
        await unlink(path)
        bind(t, path)
        sameNumber = (await lstat(path)).ino === ino
        throw refused
      },
    }
    leaveStale(path)
    await utimes(path, 1, 1)
    await assert.rejects(
      takePlace(place, async () => bind(t, path)),
      code('address_in_use'),
    )
    assert.equal(knocks, 2)
    assert.ok((await lstat(path)).isSocket())
    t.diagnostic(sameNumber ? 'the same number' : 'another number: this file system gives each file its own')
  })

  it('is given up after a few tries when others keep taking it', async (t) => {
    const dir = await folder(t)
    const path = join(dir, 's')
    let takes = 0
    const place: SocketPlace = { path, name: 'here', knock: () => Promise.reject(refused) }
    leaveStale(path)
    const take = async (): Promise<void> => {
      takes++
      throw Object.assign(new Error('taken'), { code: 'EADDRINUSE' })
    }
    await assert.rejects(takePlace(place, take), /others keep taking/)
    assert.equal(takes, 10)
    assert.deepEqual(await readdir(dir), [])
  })

  it('is not tried again when taking it fails otherwise', async (t) => {
    const path = join(await folder(t), 's')
    const failure = new Error('disk on fire')
    const place: SocketPlace = { path, name: 'here', knock: () => Promise.reject(refused) }
    await assert.rejects(
      takePlace(place, () => Promise.reject(failure)),
      failure,
    )
    const server = createServer()
    t.after(() => server.close())
    await takePlace(place, () => new Promise((resolve) => server.listen(path, resolve)))
    assert.ok((await lstat(path)).isSocket())
  })
})
