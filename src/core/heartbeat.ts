import { errors } from '../protocol/errors.js'
import { pingFrame } from '../protocol/outbound.js'
import type { Hub } from './hub.js'
import type { App } from './ports/app.js'
import type { Ticker } from './ticker.js'
import type { Connection, LocalApp } from './local-state.js'

/** One sweep over all connections instead of timers: pings the silent ones, closes the dead and the unauthorized (1.4, 2.9). */
export class Heartbeat {
  readonly #hub: Hub
  readonly #ticker: Ticker

  constructor(hub: Hub, ticker: Ticker) {
    this.#hub = hub
    this.#ticker = ticker
  }

  /** Called once a second. Looks at an app's connections only when one of them can be due. */
  sweep(): void {
    for (const local of this.#hub.apps.values()) {
      if (this.#ticker.nowS >= local.heartbeatDueS) local.heartbeatDueS = this.#sweepApp(local)
    }
  }

  /** @returns when the next connection can be due; one that opens meanwhile is due later than that */
  #sweepApp(local: LocalApp): number {
    const { activityTimeoutSeconds } = local.app.heartbeat
    const { enabled, timeoutMs } = local.app.authorizedConnections
    const authorizedTimeoutS = enabled ? timeoutMs / 1000 : Infinity
    let nextDueS = this.#ticker.nowS + Math.min(activityTimeoutSeconds, authorizedTimeoutS)
    for (const connection of local.connections.values()) {
      const dueS = Math.min(
        this.#checkAlive(connection, local.app),
        this.#checkAuthorized(connection, authorizedTimeoutS),
      )
      if (dueS < nextDueS) nextDueS = dueS
    }
    return nextDueS
  }

  /** Pings a connection that has been silent too long, closes one that did not answer. @returns when it can be due again */
  #checkAlive(connection: Connection, app: App): number {
    const { nowS } = this.#ticker
    const { activityTimeoutSeconds, pongTimeoutSeconds } = app.heartbeat
    const silentFromS = connection.heardAtS + activityTimeoutSeconds
    if (nowS < silentFromS) return silentFromS
    if (connection.pingedAtS <= connection.heardAtS) {
      connection.pingedAtS = nowS
      connection.socket.cork(() => {
        connection.socket.ping()
        if (connection.protocolVersion >= 5) connection.send(pingFrame)
      })
    } else if (nowS - connection.pingedAtS >= pongTimeoutSeconds) {
      connection.end(errors.pongNotReceived())
    }
    return connection.pingedAtS + pongTimeoutSeconds
  }

  #checkAuthorized(connection: Connection, timeoutS: number): number {
    if (connection.authorized || connection.closed) return Infinity
    const dueS = connection.openedAtS + timeoutS
    if (this.#ticker.nowS >= dueS) connection.end(errors.notAuthorizedInTime())
    return dueS
  }
}
