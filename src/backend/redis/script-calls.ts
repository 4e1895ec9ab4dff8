/** How the scripts of the shared truth are called: lib-members.lua and lib-counts.lua name their keys and first arguments. */
import type { Topic } from '../../core/ports/broker.js'
import type { TransitionType } from '../../core/ports/outbox.js'
import { splitTopic } from '../../core/topic.js'
import type { Partition, Surroundings } from './partition.js'
import { scripts } from './truth-scripts.js'
import { countedHead } from './wire.js'

type Arguments = readonly (string | number)[]

/**
 * A script that changes who is in a topic.
 * @param node whose connections it changes
 * @throws NotDone, LinkError
 */
export function askMembers(
  around: Surroundings,
  partition: Partition,
  name: 'join' | 'leave' | 'endHandover' | 'restore' | 'sweep',
  node: string,
  topic: Topic,
  args: Arguments,
  timeoutMs = around.publishTimeoutMs,
): Promise<unknown> {
  const { appId, channel } = splitTopic(topic)
  const listed = !channel.startsWith('#')
  const wants = [
    listed ? wanted(around, appId, 'member_added') : 0,
    listed ? wanted(around, appId, 'member_removed') : 0,
  ]
  const head = [node, topic, appId, channel, listed ? 1 : 0, around.node, ...wants]
  const keys = memberKeys(around, partition.number, node, topic, appId)
  return partition.ask(scripts[name], keys, [...head, ...args], timeoutMs)
}

/**
 * A script that changes how many connections of a node are subscribed to channels of an app, and tells it to the nodes that have
 * subscribers there.
 * @param topics of the channels, in the order of the arguments
 * @throws NotDone, LinkError
 */
export function askCounts(
  around: Surroundings,
  partition: Partition,
  name: 'occupy' | 'restoreCounts' | 'sweepCounts',
  node: string,
  appId: string,
  topics: readonly Topic[],
  args: Arguments,
): Promise<unknown> {
  const { keys, publishTimeoutMs, tellsCounts } = around
  const { number } = partition
  const scriptKeys = [
    keys.nodes(number),
    keys.awaited(number),
    keys.counts(number, node),
    keys.occupied(number, appId),
    keys.outbox(number),
    keys.outboxBus(number),
    ...topics.map((topic) => keys.bus(number, topic)),
  ]
  const wants = (['channel_occupied', 'channel_vacated', 'subscription_count'] as const).map((type) =>
    wanted(around, appId, type),
  )
  const head = [node, appId, ...wants, tellsCounts(appId) ? countedHead(around.node) : '']
  return partition.ask(scripts[name], scriptKeys, [...head, ...args], publishTimeoutMs)
}

/** The topics by app, at most so many at a time: what one call of a script takes. */
export function* batchesByApp(topics: Iterable<Topic>, most: number): Iterable<{ appId: string; batch: Topic[] }> {
  const byApp = new Map<string, Topic[]>()
  for (const topic of topics) {
    const { appId } = splitTopic(topic)
    const ofApp = byApp.get(appId)
    if (ofApp === undefined) byApp.set(appId, [topic])
    else ofApp.push(topic)
  }
  for (const [appId, ofApp] of byApp) {
    for (let start = 0; start < ofApp.length; start += most) yield { appId, batch: ofApp.slice(start, start + most) }
  }
}

function wanted({ wantsTransition }: Surroundings, appId: string, type: TransitionType): 0 | 1 {
  return wantsTransition(appId, type) ? 1 : 0
}

function memberKeys({ keys }: Surroundings, partition: number, node: string, topic: Topic, appId: string): string[] {
  return [
    keys.nodes(partition),
    keys.awaited(partition),
    keys.version(partition),
    keys.changed(partition, topic),
    keys.roster(partition, topic),
    keys.users(partition, topic),
    keys.userCounts(partition, appId),
    keys.handovers(partition),
    keys.outbox(partition),
    keys.bus(partition, topic),
    keys.sockets(partition, node, topic),
    keys.topics(partition, node),
    keys.outboxBus(partition),
  ]
}
