import assert from 'node:assert/strict'
import { it } from 'node:test'
import { commandsFor } from '../src/command-table.ts'

it('finds each command by its own name, without the others', async () => {
  const all = (await commandsFor(undefined)).map((command) => command.name())
  assert.equal(new Set(all).size, all.length)
  assert.ok(all.length > 15)
  for (const name of all) {
    const found = (await commandsFor(name)).map((command) => command.name())
    assert.ok(found.includes(name) && found.length < all.length / 2, `${name}: ${found.join()}`)
  }
})

it('finds all of them for a word that is none', async () => {
  const all = await commandsFor(undefined)
  for (const word of ['help', '--help', 'purchase', '']) assert.equal((await commandsFor(word)).length, all.length)
})
