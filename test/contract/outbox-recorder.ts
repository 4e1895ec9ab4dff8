import type { OutboxListener, OutboxProgress } from '../../src/core/ports/outbox.js'

export type OutboxCall = 'gained' | 'emptied' | 'lost' | 'appended'

/** Writes down what an outbox tells, and what it must never tell. */
export class OutboxRecorder implements OutboxListener {
  /** Partition → the progress it was gained with. */
  readonly held = new Map<number, OutboxProgress>()
  readonly mistakes: string[] = []
  readonly #calls: { readonly call: OutboxCall; readonly partition: number }[] = []

  gained(partition: number, progress: OutboxProgress): void {
    if (this.held.has(partition)) this.mistakes.push(`${partition} was gained twice`)
    this.held.set(partition, progress)
    this.#calls.push({ call: 'gained', partition })
  }

  emptied(partition: number): void {
    this.#expectHeld('emptied', partition)
    this.#calls.push({ call: 'emptied', partition })
  }

  lost(partition: number): void {
    this.#expectHeld('lost', partition)
    this.held.delete(partition)
    this.#calls.push({ call: 'lost', partition })
  }

  appended(partition: number): void {
    this.#expectHeld('appended', partition)
    this.#calls.push({ call: 'appended', partition })
  }

  /** How often something was told, of one partition or all. */
  count(call: OutboxCall, partition?: number): number {
    return this.#calls.filter((one) => one.call === call && (partition ?? one.partition) === one.partition).length
  }

  /** All that was told of a partition, in order. */
  of(partition: number): OutboxCall[] {
    return this.#calls.filter((one) => one.partition === partition).map(({ call }) => call)
  }

  #expectHeld(call: OutboxCall, partition: number): void {
    if (!this.held.has(partition)) this.mistakes.push(`${call} of ${partition}, which is not held`)
  }
}
