import { compareArchive } from './archive-check.ts'
import type { TillHost } from './till-host.ts'
import { Violation } from './violation.ts'
import type { World } from './world.ts'

/** All must be quiet within this time, in simulated milliseconds. */
const SETTLE_MS = 3_600_000
/** Within this time everybody finds that a line is dead, makes another, and hears what there is to hear. */
const NOTICE_MS = 120_000

/** Lets a world come to rest, and looks whether it is as it should be. */
export async function settle(world: World): Promise<void> {
  const { timeline, tills } = world
  world.heal()
  timeline.note('all heals')
  for (const server of [...world.servers.slice(1)]) world.crashServer(server, 'killed')
  // Of several machines that bear a till's name each has its turn.
  const turns: TillHost[][] = []
  for (const host of tills) {
    const turn = tills.filter(({ till }) => till === host.till).indexOf(host)
    turns[turn] = [...(turns[turn] ?? []), host]
  }
  for (const [turn, hosts] of turns.entries()) {
    for (const host of tills) {
      host.offline = false
      if (!hosts.includes(host)) host.crash('killed')
    }
    for (const host of hosts) {
      if (turn > 0 || host.status?.line === 'fenced') {
        host.crash('killed')
        host.boot({ takeOver: true })
      } else host.boot()
    }
    await timeline.run(timeline.now + NOTICE_MS)
    await until(world, `turn ${turn + 1} of the tills`, () => hosts.every((host) => isSettled(world, host)))
  }
  await timeline.run(timeline.now + NOTICE_MS)
  await until(world, 'the watchers', () => world.watchers.every(({ levels }) => levels !== undefined))
}

/** The last look: what the server holds is what was promised, and what everybody was told. */
export async function judge(world: World): Promise<void> {
  const [server] = world.servers
  if (server === undefined) throw new Violation('no server is left')
  const { log } = world.disk
  if (server.ledger.position !== log.head.next - 1)
    throw new Violation(`the ledger is at ${server.ledger.position}, its log at ${log.head.next - 1}`)
  const entries = await world.oracle.compare(server.ledger, log)
  world.oracle.settled(entries, world.retained())
  if (server.archive !== undefined) await compareArchive(server.archive, log, world.random)
  for (const watcher of world.watchers) watcher.compare(server.ledger)
}

/** A fenced till waits for a person, who is there at once. */
function isSettled(world: World, host: TillHost): boolean {
  const { status } = host
  if (status?.line === 'fenced') {
    world.timeline.note(`${host.name} is fenced, and taken over`)
    host.crash('killed')
    host.boot({ takeOver: true })
  }
  return status?.line === 'online' && status.waiting === 0 && world.servers.length === 1 && world.servers[0]?.trouble === undefined
}

async function until(world: World, what: string, done: () => boolean): Promise<void> {
  const { timeline } = world
  await timeline.run(timeline.now + SETTLE_MS, done)
  if (done()) return
  const standing = world.tills.map(
    ({ name, status }) => `${name}: ${status?.line ?? 'down'}, ${status?.waiting} wait, ${status?.reason?.message ?? ''}`,
  )
  throw new Violation(`nothing settles: ${what}\n${standing.join('\n')}`)
}
