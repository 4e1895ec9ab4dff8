import { describe, expect, it } from 'vitest'
import { newSocketId } from '../../../src/base/socket-id.js'

describe('newSocketId', () => {
  const ids = Array.from({ length: 100_000 }, () => newSocketId())

  it('is two decimal integers without leading zeros, which every client and server library accepts', () => {
    const wrong = ids.filter((id) => !/^(0|[1-9]\d*)\.(0|[1-9]\d*)$/.test(id))
    expect(wrong).toEqual([])
  })

  it('stays below 2^33 in each half, exact as a double and as a 64-bit integer', () => {
    const largest = Math.max(...ids.slice(0, 50_000).flatMap((id) => id.split('.').map(Number)))
    expect(largest).toBeLessThan(2 ** 33)
    // All 33 bits are used: of 100 000 draws one is above 99 % of the range unless the generator is broken (0.99^100000).
    expect(largest).toBeGreaterThan(0.99 * 2 ** 33)
  })

  it('never repeats across many refills of the pool', () => {
    expect(new Set(ids).size).toBe(ids.length)
    expect(new Set(ids.map((id) => id.split('.')[0])).size).toBeGreaterThan(ids.length * 0.9999)
  })

  it('spreads its values evenly', () => {
    const halves = ids.flatMap((id) => id.split('.').map(Number))
    for (let bit = 0; bit < 33; bit += 1) {
      const ones = halves.filter((half) => Math.floor(half / 2 ** bit) % 2 === 1).length
      // Six standard deviations of a fair coin.
      expect(Math.abs(ones - halves.length / 2), `bit ${bit}`).toBeLessThan(3 * Math.sqrt(halves.length))
    }
  })
})
