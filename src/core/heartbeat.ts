import { errors } from '../protocol/errors.js'
import { pingFrame } from '../protocol/outbound.js'
import type { Hub } from './hub.js'
import type { App } from './ports/app.js'
import type { Ticker } from './ticker.js'
import type { Connection } from './local-state.js'

/** One sweep over all connections instead of timers: pings the silent ones, closes the dead and the unauthorized (1.4, 2.9). */
export class Heartbeat {
  readonly #hub: Hub
  readonly #ticker: Ticker

  constructor(hub: Hub, ticker: Ticker) {
    this.#hub = hub
    this.#ticker = ticker
  }

  /** Called once a second. */
  sweep(): void {
    for (const local of this.#hub.apps.values()) {
      const { app } = local
      const authorizedTimeoutS = app.authorizedConnections.enabled ? app.authorizedConnections.timeoutMs / 1000 : 0
      for (const connection of local.connections.values()) {
        if (this.#ticker.nowS - connection.heardAtS >= app.heartbeat.activityTimeoutSeconds)
          this.#silent(connection, app)
        if (authorizedTimeoutS > 0) this.#checkAuthorized(connection, authorizedTimeoutS)
      }
    }
  }

  #silent(connection: Connection, app: App): void {
    const { nowS } = this.#ticker
    if (connection.pingedAtS <= connection.heardAtS) {
      connection.pingedAtS = nowS
      connection.socket.cork(() => {
        connection.socket.ping()
        if (connection.protocolVersion >= 5) connection.send(pingFrame)
      })
    } else if (nowS - connection.pingedAtS >= app.heartbeat.pongTimeoutSeconds) {
      connection.end(errors.pongNotReceived())
    }
  }

  #checkAuthorized(connection: Connection, timeoutS: number): void {
    if (connection.authorized || connection.closed) return
    if (this.#ticker.nowS - connection.openedAtS >= timeoutS) connection.end(errors.notAuthorizedInTime())
  }
}
