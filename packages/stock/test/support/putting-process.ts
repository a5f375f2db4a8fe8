/** Puts sales into the outbox of a folder, and tells the number of each once it is told, until it is killed. */
import { DEFAULT_STOCK_LIMITS } from '../../src/index.ts'
import { Outbox } from '../../src/till/outbox.ts'
import { sale } from './watched-till.ts'

const outbox = new Outbox(process.argv[2] as string, 'S01/T1', DEFAULT_STOCK_LIMITS)
for (let left = 100_000; left > 0; left--) {
  process.stdout.write(`${outbox.put([sale()], Date.now())}\n`)
  await new Promise<void>((resolve) => setImmediate(resolve)) // so that the number leaves before the next is put
}
