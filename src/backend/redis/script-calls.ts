/** How the scripts of the shared truth are called: lib-members.lua and lib-counts.lua name their keys and first arguments. */
import type { Topic } from '../../core/ports/broker.js'
import type { TransitionType } from '../../core/ports/outbox.js'
import { splitTopic } from '../../core/topic.js'
import type { Partition, Surroundings } from './partition.js'
import { scripts } from './truth-scripts.js'

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
 * A script that changes how many connections of a node are subscribed to channels of an app.
 * @throws NotDone, LinkError
 */
export function askCounts(
  around: Surroundings,
  partition: Partition,
  name: 'occupy' | 'restoreCounts' | 'sweepCounts',
  node: string,
  appId: string,
  args: Arguments,
): Promise<unknown> {
  const { keys, publishTimeoutMs } = around
  const { number } = partition
  const scriptKeys = [
    keys.nodes(number),
    keys.awaited(number),
    keys.counts(number, node),
    keys.occupied(number, appId),
    keys.outbox(number),
  ]
  const wants = (['channel_occupied', 'channel_vacated', 'subscription_count'] as const).map((type) =>
    wanted(around, appId, type),
  )
  return partition.ask(scripts[name], scriptKeys, [node, appId, ...wants, ...args], publishTimeoutMs)
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
  ]
}
