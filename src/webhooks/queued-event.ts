/** An event on its way to one receiver. */
export interface QueuedEvent {
  readonly channel: string
  readonly json: string
  /** When it was due, by this node's monotonic clock: its age counts from then. */
  readonly dueMs: number
  /** When it was put into the queue, by the same clock. */
  queuedMs: number
  /**
   * `open`    → waits, or is under way
   * `settled` → nothing is left to be done for it
   * `left`    → to somebody else: another node sends it, or nobody any more
   */
  state: 'open' | 'settled' | 'left'
  /** Of a transition: its partition, and the place of the entry before it there. */
  readonly partition: number | undefined
  readonly after: string
  /** And when it happened, by the store's clock. */
  readonly timeMs: number
}

/** What an event costs in memory, in bytes: its text, and the objects around it. */
export function costOf({ json }: QueuedEvent): number {
  return json.length + 240
}
