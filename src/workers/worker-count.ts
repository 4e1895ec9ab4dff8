import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'

/** `<quota> <period>` in µs, or `max <period>`; inside a container it is the container's own. */
const quotaFile = '/sys/fs/cgroup/cpu.max'

/** How many processes to run. @param workers the key of the configuration; `auto` = one per core that may be used */
export function workerCount(workers: number | 'auto', cores: () => number = usableCores): number {
  return workers === 'auto' ? Math.max(1, cores()) : workers
}

/** The cores of the machine that this process may use, and no more than its container's quota lets it keep busy. */
export function usableCores(readQuota: () => string = readQuotaFile, cores = availableParallelism()): number {
  const [quotaUs, periodUs] = readQuota().split(' ').map(Number)
  if (quotaUs === undefined || periodUs === undefined || !(quotaUs > 0) || !(periodUs > 0)) return cores
  return Math.min(cores, Math.ceil(quotaUs / periodUs))
}

function readQuotaFile(): string {
  try {
    return readFileSync(quotaFile, 'utf8')
  } catch {
    // Another system, or another version of cgroups: the cores decide.
    return ''
  }
}
