import type { Connection } from './connection.js'
import { AppCounters } from './counters.js'
import type { LocalChannel } from './local-channel.js'
import type { App } from './ports/app.js'
import type { SocketId } from './ports/broker.js'

/** This node's state of one app. Lives as long as the app or a connection of it; `app` is replaced when the settings change. */
export class LocalApp {
  app: App
  readonly counters: AppCounters
  readonly connections = new Map<SocketId, Connection>()
  /** Channel name → channel with local subscribers. */
  readonly channels = new Map<string, LocalChannel>()
  /** User id → this node's connections signed in as it. */
  readonly users = new Map<string, Set<Connection>>()
  /** Subscriptions of this node, for the metric. */
  subscriptions = 0

  constructor(app: App, counters: AppCounters = new AppCounters()) {
    this.app = app
    this.counters = counters
  }

  get id(): string {
    return this.app.id
  }
}
