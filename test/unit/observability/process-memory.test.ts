import { describe, expect, it } from 'vitest'
import {
  connectionsFromOpenFiles,
  openFilesMax,
  webhookRequestsFromOpenFiles,
} from '../../../src/observability/open-files.js'
import { memoryLimitBytes, type MemorySources, ProcessMemory } from '../../../src/observability/process-memory.js'

const machineBytes = 16 * 2 ** 30

function sources(files: Record<string, string>, residentBytes = 0): MemorySources {
  return { read: (path) => files[path], machineBytes: () => machineBytes, residentBytes: () => residentBytes }
}

describe('memoryLimitBytes', () => {
  it.each<[string, Record<string, string>, number]>([
    ['no cgroup', {}, machineBytes],
    [
      'version 2 in a container',
      { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/memory.max': '536870912\n' },
      536_870_912,
    ],
    [
      'version 2 without a limit',
      { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/memory.max': 'max\n' },
      machineBytes,
    ],
    [
      'version 2, the lowest of the groups above',
      {
        '/proc/self/cgroup': '0::/system.slice/belfry.service\n',
        '/sys/fs/cgroup/system.slice/belfry.service/memory.max': 'max\n',
        '/sys/fs/cgroup/system.slice/memory.max': '1000000000\n',
        '/sys/fs/cgroup/memory.max': '2000000000\n',
      },
      1_000_000_000,
    ],
    [
      "version 1, where the path is the host's",
      {
        '/proc/self/cgroup': '5:cpu,cpuacct:/docker/abc\n4:memory:/docker/abc\n0::/\n',
        '/sys/fs/cgroup/memory/memory.limit_in_bytes': '268435456\n',
      },
      268_435_456,
    ],
    [
      'version 1 without a limit',
      { '/proc/self/cgroup': '4:memory:/\n', '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n' },
      machineBytes,
    ],
    ['a limit above the machine', { '/sys/fs/cgroup/memory.max': '99999999999999' }, machineBytes],
    ['nonsense', { '/proc/self/cgroup': '::::\n\nx', '/sys/fs/cgroup/memory.max': '-5' }, machineBytes],
    [
      'a path that climbs',
      { '/proc/self/cgroup': '0::/../../etc\n', '/sys/fs/cgroup/memory.max': '7000000' },
      7_000_000,
    ],
  ])('%s', (_name, files, expected) => {
    expect(memoryLimitBytes(sources(files))).toBe(expected)
  })
})

describe('ProcessMemory', () => {
  it('gives figures that fit each other', () => {
    const memory = new ProcessMemory(sources({ '/sys/fs/cgroup/memory.max': '1000' }, 250))
    expect(memory.figures()).toEqual({ free: 750, used: 250, total: 1000, percent: 25 })
    expect(memory.percent()).toBe(25)
    expect(new ProcessMemory(sources({ '/sys/fs/cgroup/memory.max': '1000' }, 1250)).figures()).toMatchObject({
      free: 0,
      percent: 125,
    })
  })

  it('gives the last figure when none can be read, as without a file descriptor', () => {
    let fails = false
    const memory = new ProcessMemory({
      read: () => undefined,
      machineBytes: () => 1000,
      residentBytes: () => {
        if (fails) throw new Error('EMFILE: too many open files')
        return 250
      },
    })
    expect(memory.percent()).toBe(25)
    fails = true
    expect(memory.percent()).toBe(25)
    expect(memory.figures()).toMatchObject({ used: 250, total: 1000 })
  })

  it('keeps one of several processes to its part', () => {
    const memory = new ProcessMemory(sources({ '/sys/fs/cgroup/memory.max': '1000' }, 250), 2)
    expect(memory.figures()).toEqual({ free: 250, used: 250, total: 500, percent: 50 })
  })

  it('reads this process', () => {
    const memory = new ProcessMemory()
    const { free, used, total, percent } = memory.figures()
    expect(used).toBeGreaterThan(10_000_000)
    expect(free + used).toBe(total)
    expect(percent).toBeGreaterThan(0)
    expect(percent).toBeLessThan(100)
  })
})

describe('openFilesMax', () => {
  const limits = (value: string): string => `Limit                     Soft Limit           Hard Limit           Units
Max core file size        0                    unlimited            bytes
Max open files            ${value.padEnd(20)} 1048576              files
Max locked memory         8388608              8388608              bytes
`

  it('is the soft limit', () => {
    expect(openFilesMax(() => limits('20000'))).toBe(20_000)
    expect(openFilesMax(() => limits('unlimited'))).toBeUndefined()
    expect(openFilesMax(() => undefined)).toBeUndefined()
    expect(openFilesMax(() => 'something else')).toBeUndefined()
  })

  it('is read of this process on Linux', () => {
    const expected = process.platform === 'linux' ? expect.any(Number) : undefined
    expect(openFilesMax()).toEqual(expected)
  })

  it('leaves room for what is no connection', () => {
    expect(connectionsFromOpenFiles(1024)).toBe(768)
    expect(connectionsFromOpenFiles(100)).toBe(1)
    expect(connectionsFromOpenFiles(undefined)).toBe(Infinity)
  })

  it('gives webhooks no more than that room, unless there is plenty', () => {
    expect(webhookRequestsFromOpenFiles(1024)).toBe(128)
    expect(webhookRequestsFromOpenFiles(65_536)).toBe(1024)
    expect(webhookRequestsFromOpenFiles(undefined)).toBe(1024)
  })
})
