import { describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/base/clock.js'
import { ManualClock } from '../../fakes/manual-clock.js'

describe('systemClock', () => {
  it('tells Unix milliseconds and never steps back', () => {
    expect(Math.abs(systemClock.nowMs() - Date.now())).toBeLessThan(1000)
    const times = Array.from({ length: 1000 }, () => systemClock.monotonicMs())
    expect(times).toEqual([...times].sort((left, right) => left - right))
  })

  it('calls once after a delay, repeatedly with a period, and never after stop', async () => {
    const calls: string[] = []
    systemClock.after(1, () => calls.push('stopped')).stop()
    await new Promise<void>((resolve) => {
      const timer = systemClock.every(1, () => {
        calls.push('every')
        if (calls.length < 3) return
        timer.stop()
        timer.stop()
        systemClock.after(5, resolve)
      })
    })
    expect(calls).toEqual(['every', 'every', 'every'])
  })
})

describe('ManualClock', () => {
  it('moves only when told', () => {
    const clock = new ManualClock(1000)
    clock.advance(250)
    expect([clock.nowMs(), clock.monotonicMs()]).toEqual([1250, 250])
    clock.stepWall(-5000)
    expect([clock.nowMs(), clock.monotonicMs()]).toEqual([-3750, 250])
  })

  it('runs due timers in order of time, then of start, each at its own time', () => {
    const clock = new ManualClock(0)
    const calls: string[] = []
    const record = (name: string) => () => calls.push(`${name}@${clock.monotonicMs()}`)
    clock.after(30, record('late'))
    clock.after(10, record('first'))
    clock.after(10, record('second'))
    clock.after(31, record('not yet'))
    const period = clock.every(15, record('period'))
    clock.advance(30)
    expect(calls).toEqual(['first@10', 'second@10', 'period@15', 'late@30', 'period@30'])
    period.stop()
    expect(clock.timers).toBe(1)
  })

  it('also runs what a callback starts within the time', () => {
    const clock = new ManualClock()
    const calls: number[] = []
    clock.after(10, () => clock.after(10, () => calls.push(clock.monotonicMs())))
    clock.advance(100)
    expect(calls).toEqual([20])
    expect(clock.monotonicMs()).toBe(100)
  })

  it('lets a period stop itself', () => {
    const clock = new ManualClock()
    let calls = 0
    const timer = clock.every(10, () => {
      calls += 1
      if (calls === 2) timer.stop()
    })
    clock.advance(1000)
    expect([calls, clock.timers]).toEqual([2, 0])
  })
})
