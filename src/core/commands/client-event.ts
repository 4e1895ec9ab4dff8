import { parseChannelName } from '../../protocol/channel-name.js'
import { errors, type ProtocolError } from '../../protocol/errors.js'
import type { ClientEventMessage } from '../../protocol/inbound.js'
import { clientEventFrame } from '../../protocol/outbound.js'
import type { Delivery } from '../delivery.js'
import type { Broker } from '../ports/broker.js'
import type { WebhookSink } from '../ports/webhook-sink.js'
import type { RateLimits } from '../rate-limits.js'
import type { Connection, Subscription } from '../local-state.js'

export interface ClientEventParts {
  readonly delivery: Delivery
  readonly broker: Pick<Broker, 'relay'>
  readonly rates: RateLimits
  readonly webhooks: WebhookSink
}

/**
 * A client event (2.6): the rules in the protocol's order, then to this node's subscribers at once, to the other nodes without
 * confirmation (D3), and to the app's webhooks.
 */
export function clientEvent(connection: Connection, message: ClientEventMessage, parts: ClientEventParts): void {
  const { delivery, broker, rates, webhooks } = parts
  const subscription = connection.subscriptions?.get(message.channel)
  const refusal = refuse(connection, message, subscription)
  if (refusal !== undefined || subscription === undefined) {
    if (refusal !== undefined) connection.sendError(refusal)
    return
  }
  if (!rates.allowsClientEvent(connection)) {
    connection.sendError(errors.clientEventRate())
    return
  }
  const { topic } = subscription.channel
  const frame = clientEventFrame(message.event, message.channel, message.dataLiteral, subscription.userId)
  delivery.deliver(topic, frame, connection.socketId, 'none', 0)
  broker.relay(topic, { frame, except: connection.socketId })
  const { app } = connection.local
  if (app.webhooks.length === 0) return
  const { channel, event, dataLiteral } = message
  const { socketId } = connection
  webhooks.clientEvent(app, { channel, event, dataLiteral, socketId, userId: subscription.userId })
}

function refuse(
  connection: Connection,
  message: ClientEventMessage,
  subscription: Subscription | undefined,
): ProtocolError | undefined {
  const { clientEvents, limits } = connection.local.app
  if (!clientEvents.enabled) return errors.clientEventsDisabled()
  const traits = subscription?.channel.traits ?? parseChannelName(message.channel)
  if (traits?.clientEvents !== true) return errors.clientEventChannel()
  if (subscription === undefined || subscription.state === 'joining') {
    return errors.clientEventNotSubscribed(message.channel)
  }
  if (message.event.length > limits.eventNameLength) {
    return errors.clientEventNameTooLong(message.event.length, limits.eventNameLength)
  }
  if (message.dataBytes > limits.eventBytes) return errors.clientEventTooLarge(message.dataBytes, limits.eventBytes)
  return undefined
}
