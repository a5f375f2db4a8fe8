import { type ForkOptions, fork } from 'node:child_process'
import type { FromWorker } from './messages.ts'
import { entrance, type Launch, optionsOfProcess, type Runner, type RunnerEvents } from './runner.ts'

/** Starts a worker in a child process. */
export const launchProcess: Launch = (shared: readonly number[], events: RunnerEvents): Runner => {
  const options: ForkOptions = {
    execArgv: optionsOfProcess(),
    serialization: 'advanced',
    // The order that FIRST_SHARED_DESCRIPTOR counts on. Its input is closed: several cannot read one terminal.
    stdio: ['ignore', 'inherit', 'inherit', 'ipc', ...shared],
  }
  const child = fork(entrance('serving-process'), [], options)
  let failure: unknown
  let ended = false
  const end = (how: string): void => {
    if (ended) return
    ended = true
    events.ended(how, failure)
  }
  child.on('message', (message) => events.message(message as FromWorker))
  child.on('error', (error) => {
    failure = error
    if (child.pid === undefined) end('it could not be started') // 'exit' does not come
  })
  child.on('exit', (code, signal) => {
    // The last messages may lie in the channel still.
    if (child.connected) child.once('disconnect', () => end(told(code, signal)))
    else end(told(code, signal))
  })
  return {
    name: `process ${child.pid ?? '(not started)'}`,
    send(message) {
      child.send(message, () => {}) // it fails when the child is gone, and then 'exit' says so
    },
    lend() {}, // it has them from its birth
    kill: () => void child.kill('SIGKILL'),
  }
}

function told(code: number | null, signal: NodeJS.Signals | null): string {
  return signal === null ? `exit code ${code}` : `ended by ${signal}`
}
