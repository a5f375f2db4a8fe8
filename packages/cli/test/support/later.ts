import type { TestContext } from 'node:test'

const STACKS = new WeakMap<TestContext, AsyncDisposableStack>()

/** Does something at the end of the test; what was asked for last is done first. */
export function later(t: TestContext, work: () => unknown): void {
  let stack = STACKS.get(t)
  if (stack === undefined) {
    const made = new AsyncDisposableStack()
    stack = made
    STACKS.set(t, made)
    t.after(() => made.disposeAsync())
  }
  stack.defer(async () => void (await work()))
}
