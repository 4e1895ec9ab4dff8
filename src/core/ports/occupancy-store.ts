import type { Topic } from './broker.js'

/** Whether the subscribers of an app's channels are told the counts (2.10). Asked for every change, so it answers from memory. */
export type TellsCounts = (appId: string) => boolean

/**
 * How many connections are subscribed to which channel, cluster-wide. Internal `#` topics are never told to it. A change is told
 * to the nodes in the same step (BrokerSink.counted), whoever made it.
 */
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
