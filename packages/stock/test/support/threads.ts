import type { Worker } from 'node:worker_threads'

const started: Worker[] = []
process.on('worker', (worker: Worker) => started.push(worker))

/** Ends the newest thread of a name, as a fault in it would: nobody is asked. Whoever imports this before they start is heard. */
export async function killThread(name: string): Promise<void> {
  const worker = started.findLast((one) => one.threadName === name)
  if (worker === undefined) throw new Error(`no thread ${name} was started`)
  await worker.terminate()
}
