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

  /** Looks at an app's connections only when one of them can be due. @returns when one can be due again */
  sweep(): number {
    const { nowS } = this.#ticker
    // The first connection of an app may have any timeout.
    let nextDueS = this.#hub.apps.size === 0 ? nowS : Infinity
    for (const local of this.#hub.apps.values()) {
      if (nowS >= local.heartbeatDueS) local.heartbeatDueS = this.#sweepApp(local, nowS)
      nextDueS = Math.min(nextDueS, local.heartbeatDueS)
    }
    return nextDueS
  }

  /** @returns when the next connection can be due; one that opens meanwhile is due later than that */
  #sweepApp(local: LocalApp, nowS: number): number {
    const { activityTimeoutSeconds } = local.app.heartbeat
    const { enabled, timeoutMs } = local.app.authorizedConnections
    const authorizedTimeoutS = enabled ? timeoutMs / 1000 : Infinity
    let nextDueS = nowS + Math.min(activityTimeoutSeconds, authorizedTimeoutS)
    for (const connection of local.connections.values()) {
      const aliveDueS = this.#checkAlive(connection, local.app, nowS)
      const dueS = Math.min(aliveDueS, this.#checkAuthorized(connection, authorizedTimeoutS, nowS))
      if (dueS < nextDueS) nextDueS = dueS
    }
    return nextDueS
  }

  /** Pings a connection that has been silent too long, closes one that did not answer. @returns when it can be due again */
  #checkAlive(connection: Connection, app: App, nowS: number): number {
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

  #checkAuthorized(connection: Connection, timeoutS: number, nowS: number): number {
    if (connection.authorized || connection.closed) return Infinity
    const dueS = connection.openedAtS + timeoutS
    if (nowS >= dueS) connection.end(errors.notAuthorizedInTime())
    return dueS
  }
}
