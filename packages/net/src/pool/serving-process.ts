import type { FromWorker, ToWorker } from './messages.ts'
import { FIRST_SHARED_DESCRIPTOR } from './process-stdio.ts'
import { ServingWorker } from './serving-worker.ts'

// A terminal sends these to the whole group of processes; when to stop is for the parent to say.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})

/** Nobody hears it any more when the channel is gone; `disconnect` says so. */
function tell(message: FromWorker, then: () => void): void {
  if (process.send === undefined || !process.connected) then()
  else process.send(message, undefined, undefined, then)
}

const worker = new ServingWorker({
  tell: (message) => tell(message, () => {}),
  leave: (message) => tell(message, () => process.exit(0)),
  descriptor: (shared) => FIRST_SHARED_DESCRIPTOR + shared,
})
process.on('message', (message: ToWorker) => worker.hear(message))
process.on('disconnect', () => void worker.orphaned())
