import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { stockLimitsFrom } from '../../src/limits.ts'
import { Fights } from '../../src/sessions/fights.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { MemoryShop } from '../support/memory-shop.ts'

function fights(): { clock: ManualClock; told: unknown[]; replaced(till: string, times: number): void } {
  const clock = new ManualClock()
  const told: unknown[] = []
  const found = new Fights({ clock, limits: stockLimitsFrom(), tillsFighting: (...fight) => told.push(fight) })
  return {
    clock,
    told,
    replaced(till, times) {
      for (let time = 0; time < times; time++) found.replaced(till)
    },
  }
}

describe('two tills of one name that keep replacing each other', () => {
  it('are told of at the fifth time in a minute, once', () => {
    const { told, replaced } = fights()
    replaced('T1', 4)
    assert.deepEqual(told, [])
    replaced('T1', 40)
    assert.deepEqual(told, [['T1', 5]])
  })

  it('are told of again in the next minute', () => {
    const { told, replaced, clock } = fights()
    replaced('T1', 9)
    clock.move(60_000)
    replaced('T1', 4)
    assert.equal(told.length, 1)
    replaced('T1', 1)
    assert.equal(told.length, 2)
  })

  it('are not told of where it takes them longer, nor where others do', () => {
    const { told, replaced, clock } = fights()
    for (let round = 0; round < 10; round++) {
      replaced('T1', 2)
      replaced('T2', 2)
      clock.move(30_001)
    }
    assert.deepEqual(told, [])
  })

  it('are told of by the server that they fight over', async () => {
    await using shop = await MemoryShop.open()
    for (let time = 0; time < 7; time++) await shop.till('T1', 1)
    assert.deepEqual(shop.fights, [['T1', 5]])
  })

  it('are none where one till comes back after its line has ended', async () => {
    await using shop = await MemoryShop.open()
    for (let time = 0; time < 10; time++) {
      using till = await shop.till('T1', 1)
      await till.say({ bye: 1 }).toEnd()
    }
    assert.deepEqual(shop.fights, [])
  })
})
