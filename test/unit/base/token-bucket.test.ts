import { describe, expect, it } from 'vitest'
import { TokenBucket } from '../../../src/base/token-bucket.js'

function takeAll(bucket: TokenBucket, nowMs: number): number {
  let taken = 0
  while (taken < 1000 && bucket.take(nowMs)) taken += 1
  return taken
}

describe('TokenBucket', () => {
  it('allows a burst of the rate and not one more', () => {
    expect(takeAll(new TokenBucket(10, 0), 0)).toBe(10)
  })

  it('fills at the rate', () => {
    const bucket = new TokenBucket(10, 0)
    takeAll(bucket, 0)
    expect(bucket.take(99)).toBe(false)
    expect(bucket.take(100)).toBe(true)
    expect(bucket.take(100)).toBe(false)
    expect(takeAll(bucket, 600)).toBe(5)
  })

  it('never holds more than the burst, however long nobody asks', () => {
    const bucket = new TokenBucket(10, 0)
    expect(takeAll(bucket, 3_600_000)).toBe(10)
  })

  it('keeps the average over many small steps', () => {
    const bucket = new TokenBucket(10, 0)
    let taken = 0
    for (let nowMs = 0; nowMs < 100_000; nowMs += 7) taken += takeAll(bucket, nowMs)
    expect(taken).toBeGreaterThanOrEqual(1000)
    expect(taken).toBeLessThanOrEqual(1010)
  })

  it('takes several tokens or none', () => {
    const bucket = new TokenBucket(10, 0)
    expect(bucket.take(0, 8)).toBe(true)
    expect(bucket.take(0, 3)).toBe(false)
    expect(bucket.take(0, 2)).toBe(true)
    expect(bucket.take(0, 11)).toBe(false)
  })

  it('gives more than the burst only when full, and is owed the rest', () => {
    const bucket = new TokenBucket(10, 0)
    expect(bucket.take(0, 1)).toBe(true)
    expect(bucket.take(0, 30)).toBe(false)
    expect(bucket.take(100, 30)).toBe(true)
    expect(bucket.take(2100)).toBe(false)
    expect(bucket.take(2200)).toBe(true)
  })

  it('gives nothing at a rate of 0', () => {
    expect(new TokenBucket(0, 0).take(60_000)).toBe(false)
  })

  it('neither fills nor empties when a time is given twice or goes back', () => {
    const bucket = new TokenBucket(10, 1000)
    expect(takeAll(bucket, 500)).toBe(10)
    expect(bucket.take(900)).toBe(false)
    expect(bucket.take(1000)).toBe(false)
    expect(bucket.take(1100)).toBe(true)
  })

  it('loses what is above a lowered rate and fills at the new one', () => {
    const bucket = new TokenBucket(100, 0)
    bucket.setRate(5)
    expect(takeAll(bucket, 0)).toBe(5)
    expect(takeAll(bucket, 1000)).toBe(5)
  })

  it('gives no tokens away when the rate is raised', () => {
    const bucket = new TokenBucket(5, 0)
    takeAll(bucket, 0)
    bucket.setRate(100)
    expect(bucket.take(0)).toBe(false)
    expect(takeAll(bucket, 100)).toBe(10)
  })
})
