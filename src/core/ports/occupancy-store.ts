import type { Topic } from './broker.js'

/** How many connections are subscribed to which channel, cluster-wide. Internal `#` topics are never told to it. */
export interface OccupancyStore {
  /** Says how many subscriptions this node has now. */
  set(
    topic: Topic,
    localCount: number,
  ): Promise<{ readonly total: number; readonly became: 'occupied' | 'vacated' | 'same' }>
  total(topic: Topic): Promise<number>
  /** Occupied channels of an app whose name begins with `prefix`, and their subscription counts; may be a live view. */
  list(appId: string, prefix: string): Promise<ReadonlyMap<string, number>>
}
