/** What a process tree costs, read from outside through /proc (Linux only). */
import { readdirSync, readFileSync } from 'node:fs'

/** A process and all its descendants that are alive now. */
export function processTree(rootPid: number): number[] {
  const childrenByParent = new Map<number, number[]>()
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    const parent = parentOf(Number(entry))
    if (parent === undefined) continue
    const siblings = childrenByParent.get(parent)
    if (siblings === undefined) childrenByParent.set(parent, [Number(entry)])
    else siblings.push(Number(entry))
  }
  const tree = [rootPid]
  // The list grows while it is walked.
  for (const pid of tree) tree.push(...(childrenByParent.get(pid) ?? []))
  return tree
}

/**
 * CPU time (user + system) of all threads of these processes, in microseconds.
 *
 * /proc/PID/stat counts in ticks of 10 ms; a thread's schedstat has the same sum in nanoseconds. Threads that have ended
 * drop out of it, so compare two readings only where none ends between them (Node.js keeps its threads).
 */
export function cpuMicroseconds(pids: readonly number[]): number {
  let nanoseconds = 0
  for (const pid of pids) {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      nanoseconds += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ', 1)[0])
    }
  }
  return nanoseconds / 1000
}

/** Resident memory of these processes, in bytes. */
export function residentBytes(pids: readonly number[]): number {
  let kibibytes = 0
  for (const pid of pids) {
    const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))
    kibibytes += Number(line?.[1] ?? 0)
  }
  return kibibytes * 1024
}

function parentOf(pid: number): number | undefined {
  try {
    // "PID (name, which may hold anything) STATE PPID …"
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ', 2)[1])
  } catch {
    // It ended between the listing and the reading.
    return undefined
  }
}
