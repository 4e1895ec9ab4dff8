import { cpus, loadavg, release, totalmem } from 'node:os'

/** The machine in one line: without a name, an address or a path. */
export function machine(): string {
  const all = cpus()
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`
  return `${all.length} × ${all[0]?.model.trim() ?? 'unknown processor'}, ${memory}, Linux ${release()}, Node.js ${process.versions.node}`
}

/** Processes that want a processor, over the last minute. */
export function loadAverage(): number {
  return loadavg()[0] ?? 0
}
