import type { Topic } from './broker.js'

/** How many connections are subscribed to which channel, cluster-wide. Internal `#` topics are never told to it. */
export interface OccupancyStore {
  /**
   * Says how many subscriptions this node has now, and answers how many all nodes have. From 0 and to 0 it reaches the store at
   * once; counts between may wait up to 200 ms and then be told as one (D8).
   */
  set(topic: Topic, localCount: number): Promise<{ readonly total: number }>
  total(topic: Topic): Promise<number>
  /** Occupied channels of an app whose name begins with `prefix`, and their subscription counts; may be a live view. */
  list(appId: string, prefix: string): Promise<ReadonlyMap<string, number>>
}
