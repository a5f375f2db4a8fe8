/** Moves the outbox of a folder from epoch to epoch, each time with one row less and so with other numbers, until it is killed. */
import { DEFAULT_STOCK_LIMITS } from '../../src/index.ts'
import { Outbox } from '../../src/till/outbox.ts'

const outbox = new Outbox(process.argv[2] as string, 'S01/T1', DEFAULT_STOCK_LIMITS)
while (outbox.wireLast > 0) {
  outbox.acknowledge(1, [{ seq: 1, refused: 'unknown_location' }], Date.now())
  outbox.begin(outbox.epoch + 1, Date.now())
  process.stdout.write(`${outbox.epoch}\n`)
  await new Promise<void>((resolve) => setImmediate(resolve)) // so that the epoch leaves before the next one is begun
}
