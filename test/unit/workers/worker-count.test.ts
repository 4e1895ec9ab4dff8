import { describe, expect, it } from 'vitest'
import { usableCores, workerCount } from '../../../src/workers/worker-count.js'

describe('workerCount', () => {
  it('a number is what it says; auto is one per core, and at least one', () => {
    expect(workerCount(7, () => 2)).toBe(7)
    expect(workerCount('auto', () => 4)).toBe(4)
    expect(workerCount('auto', () => 0)).toBe(1)
  })
})

describe('usableCores', () => {
  it.each([
    ['max 100000\n', 8],
    ['200000 100000\n', 2],
    ['150000 100000\n', 2],
    ['50000 100000\n', 1],
    ['1600000 100000\n', 8],
    ['', 8],
    ['nonsense', 8],
    ['0 0', 8],
  ])('with the quota %j, of 8 cores: %i', (quota, cores) => {
    expect(usableCores(() => quota, 8)).toBe(cores)
  })
})
