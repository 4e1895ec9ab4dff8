import type { Clock, Timer } from '../../../src/base/clock.js'
import { describe, expect, it } from 'vitest'
import { Overload } from '../../../src/core/overload.js'

/** An event loop: timers run between turns, however late that is. */
class LoopClock implements Clock {
  #nowMs = 1000
  #due: (() => void)[] = []

  nowMs(): number {
    return this.#nowMs
  }

  monotonicMs(): number {
    return this.#nowMs
  }

  after(_delayMs: number, callback: () => void): Timer {
    this.#due.push(callback)
    return { stop: () => undefined }
  }

  every(): Timer {
    throw new Error('nothing here repeats')
  }

  /** Time goes by inside a turn: no timer runs. */
  pass(durationMs: number): void {
    this.#nowMs += durationMs
  }

  /** One turn of the loop, which takes so long. */
  turn(durationMs: number): void {
    this.#nowMs += durationMs
    const due = this.#due
    this.#due = []
    for (const callback of due) callback()
  }
}

/** One turn in which `asked` requests arrive and each admitted one costs `costMs`. */
function turn(overload: Overload, clock: LoopClock, asked: number, costMs: number): number {
  let admitted = 0
  const startedAtMs = clock.monotonicMs()
  for (let request = 0; request < asked; request += 1) if (overload.admit(startedAtMs)) admitted += 1
  clock.turn(Math.max(10, admitted * costMs))
  return admitted
}

describe('shedding by the lag of the event loop (R33)', () => {
  it('admits everything while the loop turns', () => {
    const clock = new LoopClock()
    const overload = new Overload(clock)
    for (let round = 0; round < 500; round += 1) expect(turn(overload, clock, 100, 0.1)).toBe(100)
  })

  it('takes one long turn for a pause of the machine', () => {
    const clock = new LoopClock()
    const overload = new Overload(clock)
    turn(overload, clock, 100, 0.1)
    expect(turn(overload, clock, 3, 1000)).toBe(3)
    expect(turn(overload, clock, 100, 0.1)).toBe(100)
    expect(turn(overload, clock, 100, 0.1)).toBe(100)
  })

  it('keeps turns short when four times as much is asked as can be done', () => {
    const clock = new LoopClock()
    const overload = new Overload(clock)
    const perRequestMs = 2
    const turns: number[] = []
    const askedPerMs = 4 / perRequestMs
    let lastTurnMs = 10
    for (let round = 0; round < 300; round += 1) {
      const before = clock.monotonicMs()
      turn(overload, clock, Math.min(10_000, Math.round(lastTurnMs * askedPerMs)), perRequestMs)
      lastTurnMs = clock.monotonicMs() - before
      turns.push(lastTurnMs)
    }
    expect(Math.max(...turns.slice(20))).toBeLessThan(1000)
    // Afterwards everything is admitted again.
    for (let round = 0; round < 300; round += 1) turn(overload, clock, 10, 0.1)
    expect(turn(overload, clock, 100, 0.1)).toBe(100)
  })

  it('notices a loop that is so busy that it never comes to its timers', () => {
    const clock = new LoopClock()
    const overload = new Overload(clock)
    const admitted: number[] = []
    for (let round = 0; round < 100; round += 1) {
      clock.pass(20)
      admitted.push(Array.from({ length: 40 }, () => overload.admit(clock.monotonicMs())).filter(Boolean).length)
    }
    expect(admitted.slice(0, 5)).toEqual([40, 40, 40, 40, 40])
    expect(admitted.slice(50).every((count) => count < 30)).toBe(true)
  })
})
