import { totalmem } from 'node:os'
import { readTextFile } from './read-text-file.js'

/** Bytes, and `percent` of `total` (0 to 100 and a fraction; above 100 only when the limit was lowered). */
export interface MemoryFigures {
  readonly free: number
  readonly used: number
  readonly total: number
  readonly percent: number
}

export interface MemorySources {
  /** A file's text, or undefined if there is no such file. */
  readonly read: (path: string) => string | undefined
  /** Bytes of the machine. */
  readonly machineBytes: () => number
  /** Resident bytes of this process. */
  readonly residentBytes: () => number
}

const systemSources: MemorySources = {
  read: readTextFile,
  machineBytes: totalmem,
  // 10 µs; the other fields of memoryUsage() would cost a walk over the heap spaces.
  residentBytes: () => process.memoryUsage.rss(),
}

const cgroupRoot = '/sys/fs/cgroup'

/** How much memory this process uses of what it may use. The limit is read once; `figures` is cheap enough for a sweep. */
export class ProcessMemory {
  readonly limitBytes: number
  readonly #sources: MemorySources
  #usedBytes = 0

  /** @param parts processes that share the memory: each may use its part */
  constructor(sources: MemorySources = systemSources, parts = 1) {
    this.#sources = sources
    this.limitBytes = memoryLimitBytes(sources) / parts
  }

  percent(): number {
    return (this.#used() / this.limitBytes) * 100
  }

  figures(): MemoryFigures {
    const used = this.#used()
    const total = this.limitBytes
    return { free: Math.max(0, total - used), used, total, percent: (used / total) * 100 }
  }

  /** The last figure when none can be had: reading it opens a file, for which a descriptor must be left. */
  #used(): number {
    try {
      this.#usedBytes = this.#sources.residentBytes()
      return this.#usedBytes
    } catch {
      return this.#usedBytes
    }
  }
}

/** The lowest limit of this process's cgroup and the groups above it (version 2, then version 1), else the machine's memory. */
export function memoryLimitBytes(sources: Omit<MemorySources, 'residentBytes'>): number {
  const machineBytes = sources.machineBytes()
  const groups = sources.read('/proc/self/cgroup') ?? ''
  const limits = [
    ...limitsUpwards(sources, cgroupRoot, pathOf(groups, isUnified), 'memory.max'),
    ...limitsUpwards(sources, `${cgroupRoot}/memory`, pathOf(groups, isMemoryController), 'memory.limit_in_bytes'),
  ]
  // "No limit" is the word `max` in version 2 and a number near 2^63 in version 1.
  return Math.min(machineBytes, ...limits)
}

/** Inside a container the path may be the host's, so that only the root of the mount exists: every level upwards is tried. */
function limitsUpwards(
  sources: Omit<MemorySources, 'residentBytes'>,
  root: string,
  path: string,
  file: string,
): number[] {
  const limits: number[] = []
  const names = path.split('/').filter((name) => name !== '' && name !== '.' && name !== '..')
  for (let depth = names.length; depth >= 0; depth -= 1) {
    const text = sources.read([root, ...names.slice(0, depth), file].join('/'))?.trim()
    if (text !== undefined && /^[1-9]\d*$/.test(text)) limits.push(Number(text))
  }
  return limits
}

/** Lines are `id:controllers:path`; version 2 is `0::path`. */
function pathOf(groups: string, wanted: (id: string, controllers: string) => boolean): string {
  for (const line of groups.split('\n')) {
    const [id, controllers, ...path] = line.split(':')
    if (id !== undefined && controllers !== undefined && wanted(id, controllers)) return path.join(':')
  }
  return '/'
}

function isUnified(id: string, controllers: string): boolean {
  return id === '0' && controllers === ''
}

function isMemoryController(_id: string, controllers: string): boolean {
  return controllers.split(',').includes('memory')
}
