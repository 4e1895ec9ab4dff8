import type { Topic } from './broker.js'

/** The last event of each cache channel. Written by `Broker.publish`, in the same step as the fan-out. */
export interface CacheStore {
  get(topic: Topic): Promise<CachedEvent | undefined>
  /**
   * Whether the caller is the one to tell the app of a miss: true once per topic and second in the whole cluster.
   * @throws BrokerError when the store cannot be asked
   */
  claimMiss(topic: Topic): Promise<boolean>
}

export interface CachedEvent {
  /** The frame as it was published. */
  readonly frame: string
  /** The topic's version of that publish. */
  readonly version: number
  readonly expiresInMs: number
}
