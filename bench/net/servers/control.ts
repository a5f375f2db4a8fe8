/**
 * How the bench speaks with a server under test, whatever it is written in: the server prints its port on a line, answers every
 * line on its standard input with the CPU time that its process has used so far, in microseconds, and leaves when the input ends.
 */
export function underControl(port: number): void {
  process.stdin.on('data', () => {
    const { user, system } = process.cpuUsage()
    console.log(user + system)
  })
  process.stdin.on('end', () => process.exit())
  console.log(port)
}
