import { setTimeout as wait } from 'node:timers/promises'
import type { Part } from '../servers/server.js'
import { cpuMicroseconds, processTree, residentBytes } from './process-cost.js'

/** Lets work that the last answer did not wait for (a flush, a garbage collection) end before the clock is read. */
const settleMs = 15

/** A measured span on CLOCK_MONOTONIC, in microseconds: the clock that V8's CPU profiles use. */
export interface Span {
  readonly from: number
  readonly to: number
}

export interface Measured<T> {
  /** CPU time of all parts of the server; NaN of one whose processes are not known. */
  readonly microseconds: number
  /** The same, part by part. */
  readonly parts: Readonly<Record<string, number>>
  readonly result: T
}

/** Reads the cost of one server from outside and remembers when it was measured. */
export class Meter {
  readonly #parts: readonly Part[]
  readonly spans: Span[] = []

  constructor(parts: readonly Part[]) {
    this.#parts = parts
  }

  /** Runs the work; resolves with the server's CPU time meanwhile, and the work's own result. */
  async cpu<T>(work: () => Promise<T>): Promise<Measured<T>> {
    await wait(settleMs)
    const trees = this.#parts.map(({ name, pid }) => ({ name, pids: processTree(pid) }))
    const from = now()
    const before = trees.map(({ pids }) => cpuMicroseconds(pids))
    const result = await work()
    await wait(settleMs)
    const costs = trees.map(({ name, pids }, index) => [name, cpuMicroseconds(pids) - (before[index] ?? 0)] as const)
    this.spans.push({ from, to: now() })
    const microseconds = costs.length === 0 ? NaN : costs.reduce((sum, [, cost]) => sum + cost, 0)
    return { microseconds, parts: Object.fromEntries(costs), result }
  }

  /** Resident memory of the server's process trees, in bytes. */
  residentBytes(): number {
    return residentBytes(this.#parts.flatMap(({ pid }) => processTree(pid)))
  }
}

/** Each part of a cost, per unit of work. */
export function perUnit(parts: Readonly<Record<string, number>>, units: number): Record<string, number> {
  return Object.fromEntries(Object.entries(parts).map(([name, cost]) => [name, cost / units]))
}

function now(): number {
  return Number(process.hrtime.bigint() / 1000n)
}
