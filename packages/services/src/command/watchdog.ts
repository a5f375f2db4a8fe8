import { spawn } from 'node:child_process'
import type { Socket } from 'node:net'

/** Reads `+ GROUP` and `- GROUP`. When nobody is left who could write, it kills the groups that are left. */
const SCRIPT = `
trap '' HUP INT TERM
groups=' '
while read -r sign group; do
  case "$sign$groups" in
    +*) groups="$groups$group " ;;
    -*" $group "*) groups="\${groups%% $group *} \${groups#* $group }" ;;
  esac
done
for group in $groups; do kill -s KILL -- "-$group" 2>/dev/null; done`

/** The process groups that run for this thread. */
const groups = new Set<number>()
let line: Socket | undefined

/**
 * Sees to it that a process group does not outlive this thread or process, in whatever way that ends: a small process holds the far
 * end of a pipe, and the kernel closes ours.
 * @returns what to call when the group has ended
 */
export function watchGroup(leader: number): () => void {
  groups.add(leader)
  if (line === undefined) start()
  else line.write(`+ ${leader}\n`)
  return () => {
    groups.delete(leader)
    line?.write(`- ${leader}\n`)
  }
}

function start(): void {
  const child = spawn('/bin/sh', ['-c', SCRIPT], { stdio: ['pipe', 'ignore', 'ignore'], detached: true, env: {} })
  const input = child.stdin as Socket
  line = input
  const lost = (): void => {
    if (line === input) line = undefined // the next group starts another one
  }
  child.on('error', lost).on('exit', lost)
  input.on('error', lost)
  child.unref()
  input.unref()
  for (const group of groups) input.write(`+ ${group}\n`)
}
