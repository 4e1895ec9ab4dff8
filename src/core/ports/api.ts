import type { App } from './app.js'
import type { SocketId } from './broker.js'

/** One validated event of the REST API. */
export interface Trigger {
  readonly name: string
  /** Valid, distinct channel names; `#server-to-user-ID` included. */
  readonly channels: readonly string[]
  /** The payload: the publisher's string, unchanged. */
  readonly data: string
  /** The connection that must not get it. */
  readonly socketId: SocketId | undefined
}

/** What the outside may ask of the core: the REST handlers and every ingress enter here. All of it is cluster-wide. */
export interface CoreApi {
  /**
   * Publishes in the order given; resolves when the broker has confirmed all of it.
   * @throws BrokerError when the bus did not confirm
   */
  publish(app: App, triggers: readonly Trigger[]): Promise<unknown>
  /** Occupied channels whose name begins with the prefix, without `#` channels, and their subscription counts. */
  channels(appId: string, prefix: string): Promise<ReadonlyMap<string, number>>
  subscriptionCount(appId: string, channel: string): Promise<number>
  /** Distinct users of every presence channel that has any, by channel name. */
  userCounts(appId: string): Promise<ReadonlyMap<string, number>>
  /** Distinct users of a presence channel. */
  userCount(appId: string, channel: string): Promise<number>
  userIds(appId: string, channel: string): Promise<readonly string[]>
  /** The last event of a cache channel: its data string and the whole seconds it will be kept. */
  cached(appId: string, channel: string): Promise<{ readonly data: string; readonly ttl: number } | null>
  connections(appId: string): Promise<number>
  /** Closes every connection signed in as the user, on all nodes. @throws BrokerError */
  terminateUser(appId: string, userId: string): Promise<void>
  /** Takes from the app's rate; false means 429. */
  takeBudget(app: App, kind: 'triggers' | 'reads', count: number): boolean
}
