import { isCacheChannel } from '../protocol/channel-name.js'
import { eventFrame } from '../protocol/outbound.js'
import type { Trigger } from './ports/api.js'
import type { App } from './ports/app.js'
import type { Broker } from './ports/broker.js'
import { topicOf } from './topic.js'

/**
 * Publishes triggers in the order given: where the REST API, every ingress and every add-on enter. Each frame is encoded once,
 * and the payload once for all channels of a trigger.
 * @throws BrokerError when the bus did not confirm all of them
 */
export function publish(broker: Pick<Broker, 'publish'>, app: App, triggers: readonly Trigger[]): Promise<unknown> {
  const publishes: Promise<void>[] = []
  for (const trigger of triggers) publishTo(broker, app, trigger, publishes)
  // One message, the usual case, needs no promise of its own.
  return publishes.length === 1 && publishes[0] !== undefined ? publishes[0] : Promise.all(publishes)
}

function publishTo(broker: Pick<Broker, 'publish'>, app: App, trigger: Trigger, publishes: Promise<void>[]): void {
  const nameLiteral = JSON.stringify(trigger.name)
  const dataLiteral = JSON.stringify(trigger.data)
  for (const channel of trigger.channels) {
    const frame = eventFrame(nameLiteral, channel, dataLiteral)
    const cacheTtlMs = isCacheChannel(channel) ? app.cache.ttlSeconds * 1000 : undefined
    publishes.push(broker.publish(topicOf(app.id, channel), { frame, except: trigger.socketId, cacheTtlMs }))
  }
}
