import type { ChannelTraits } from '../protocol/channel-name.js'
import type { App } from './ports/app.js'
import type { Broker, Topic } from './ports/broker.js'
import type { Logger } from './ports/logger.js'
import { topicOf } from './topic.js'
import type { Connection } from './local-state.js'
import { LocalApp, LocalChannel, Subscription } from './local-state.js'

/**
 * This node's connections, channels and users. Holds no rule of the protocol: it keeps the books, and asks the broker for a
 * topic with the first local subscriber and gives it back with the last.
 */
export class Hub {
  readonly apps = new Map<string, LocalApp>()
  readonly topics = new Map<Topic, LocalChannel>()
  connections = 0
  readonly #broker: Pick<Broker, 'subscribe' | 'unsubscribe'>
  readonly #logger: Logger

  constructor(broker: Pick<Broker, 'subscribe' | 'unsubscribe'>, logger: Logger) {
    this.#broker = broker
    this.#logger = logger
  }

  /** The node's state of an app, made on first use. */
  localApp(app: App): LocalApp {
    let local = this.apps.get(app.id)
    if (local === undefined) {
      local = new LocalApp(app)
      this.apps.set(app.id, local)
    }
    return local
  }

  addConnection(connection: Connection): void {
    connection.local.connections.set(connection.socketId, connection)
    this.connections += 1
  }

  removeConnection(connection: Connection): void {
    if (connection.local.connections.delete(connection.socketId)) this.connections -= 1
  }

  /** Starts a client's subscription to a channel: from now on it holds back what is delivered. */
  begin(connection: Connection, name: string, traits: ChannelTraits): Subscription {
    const { local } = connection
    let channel = local.channels.get(name)
    if (channel === undefined) {
      channel = this.#open(local, name, topicOf(local.id, name), traits)
      local.channels.set(name, channel)
    }
    const subscription = this.#begin(connection, channel)
    connection.subscriptions ??= new Map()
    connection.subscriptions.set(name, subscription)
    local.subscriptions += 1
    return subscription
  }

  /** The same for an internal topic (a watched user's status), which no client can name and no limit counts. */
  beginInternal(connection: Connection, topic: Topic, traits: ChannelTraits): Subscription {
    const channel = this.topics.get(topic) ?? this.#open(connection.local, '', topic, traits)
    return this.#begin(connection, channel)
  }

  /** The client has been told that it is subscribed, and nothing it was told is still under way: native delivery from now on. */
  activate(subscription: Subscription): void {
    if (!this.#released(subscription)) return
    subscription.state = 'active'
    this.#noLongerPending(subscription)
    subscription.connection.socket.join(subscription.channel.topic)
  }

  /** The client has been told that it is subscribed, and messages it was told already may still come: it is fed until `activate`. */
  settle(subscription: Subscription, nowS: number): void {
    if (!this.#released(subscription)) return
    subscription.state = 'settling'
    subscription.settlingSinceS = nowS
  }

  /** Ends a subscription, whatever its state; ending one twice is harmless. Returns whether the client had been told it is subscribed. */
  end(subscription: Subscription): boolean {
    const { channel, connection, state } = subscription
    if (state === 'left') return false
    subscription.state = 'left'
    if (state !== 'active') this.#noLongerPending(subscription)
    if (state !== 'joining') channel.joined -= 1
    channel.subscriptions -= 1
    if (connection.subscriptions?.get(channel.name) === subscription) {
      connection.subscriptions.delete(channel.name)
      connection.local.subscriptions -= 1
    }
    if (channel.subscriptions === 0) this.#close(channel)
    // Last, so that the books are right whatever a socket does.
    if (state === 'active') connection.socket.leave(channel.topic)
    return state !== 'joining'
  }

  #open(local: LocalApp, name: string, topic: Topic, traits: ChannelTraits): LocalChannel {
    const channel = new LocalChannel(name, topic, traits, local)
    this.topics.set(topic, channel)
    this.#ask(channel)
    return channel
  }

  /** Whatever the bus does, it must not keep anybody from subscribing, and what is local is delivered without it (D4). */
  #ask(channel: LocalChannel): void {
    const refused = (error: unknown): void => {
      this.#logger.warn({ app_id: channel.local.id, err: error }, 'The bus refused a channel; it is served without it')
    }
    try {
      channel.ready = this.#broker
        .subscribe(channel.topic)
        ?.catch(refused)
        .then(() => (channel.ready = undefined))
    } catch (error) {
      refused(error)
    }
  }

  #close(channel: LocalChannel): void {
    this.topics.delete(channel.topic)
    if (channel.local.channels.get(channel.name) === channel) channel.local.channels.delete(channel.name)
    this.#broker.unsubscribe(channel.topic)
  }

  #begin(connection: Connection, channel: LocalChannel): Subscription {
    const subscription = new Subscription(connection, channel)
    channel.subscriptions += 1
    channel.pending ??= new Set()
    channel.pending.add(subscription)
    return subscription
  }

  /** Sends what was held back. False when the connection has closed over it. */
  #released(subscription: Subscription): boolean {
    subscription.releaseHeld()
    if (subscription.state === 'left') return false
    if (subscription.state === 'joining') subscription.channel.joined += 1
    return true
  }

  #noLongerPending(subscription: Subscription): void {
    const { channel } = subscription
    channel.pending?.delete(subscription)
    if (channel.pending?.size === 0) channel.pending = undefined
  }
}
