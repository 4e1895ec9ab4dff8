import { unreachable } from '../base/assert.js'
import { errors } from '../protocol/errors.js'
import { decodeClientMessage } from '../protocol/inbound.js'
import { pongFrame } from '../protocol/outbound.js'
import { clientEvent } from './commands/client-event.js'
import { signin } from './commands/signin.js'
import { subscribe } from './commands/subscribe.js'
import { unsubscribe } from './commands/unsubscribe.js'
import type { Delivery } from './delivery.js'
import type { Hub } from './hub.js'
import type { Broker } from './ports/broker.js'
import type { WebhookSink } from './ports/webhook-sink.js'
import type { RateLimits } from './rate-limits.js'
import type { Subscriptions } from './subscriptions.js'
import type { Users } from './users.js'
import type { Connection } from './local-state.js'

/** What a session needs; each command takes only its own part. */
export interface SessionParts {
  readonly hub: Hub
  readonly subscriptions: Subscriptions
  readonly users: Users
  readonly delivery: Delivery
  readonly broker: Pick<Broker, 'relay'>
  readonly rates: RateLimits
  readonly webhooks: WebhookSink
}

/** One text frame of one client: decoded once, then one switch to a command. */
export class Session {
  readonly #parts: SessionParts

  constructor(parts: SessionParts) {
    this.#parts = parts
  }

  /** @returns a promise only where the answer waits for a store; its rejection is a fault of ours */
  receive(connection: Connection, text: string): Promise<void> | undefined {
    const { hub, subscriptions, users, rates } = this.#parts
    const message = decodeClientMessage(text)
    switch (message.type) {
      case 'ping':
        connection.send(pongFrame)
        return undefined
      case 'pong':
        return undefined
      case 'subscribe':
        return subscribe(connection, message, hub, subscriptions)
      case 'unsubscribe':
        unsubscribe(connection, message.channel, subscriptions)
        return undefined
      case 'signin':
        return rates.allowsMessage(connection) ? signin(connection, message, users) : undefined
      case 'client-event':
        if (rates.allowsMessage(connection)) clientEvent(connection, message, this.#parts)
        return undefined
      case 'invalid':
        connection.local.counters.protocolErrors[message.kind] += 1
        if (rates.allowsMessage(connection)) connection.sendError(message.error)
        return undefined
      default:
        return unreachable(message)
    }
  }

  /** A frame above the message limit: answered with a close (1.5). */
  tooBig(connection: Connection, limitBytes: number): void {
    connection.local.counters.protocolErrors.oversize += 1
    connection.end(errors.messageTooBig(limitBytes))
  }
}
