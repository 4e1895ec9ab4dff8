/** Two nodes on one Redis: every change is told by the cluster once, whichever node saw it. */
import { randomBytes } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { eventually } from '../../harness/eventually.js'
import { RedisServer } from '../../harness/redis-server.js'
import { appId, credentials, type Settings } from '../../harness/test-server.js'
import { WebhookReceiver, withoutRepeats } from '../../harness/webhook-receiver.js'
import { describeWith } from '../../requirements.js'
import { counted, Crowd, expectAwayAndBack } from './crowd.js'
import { hook, HookedServer, join, leave, namesOf, oneApp, whisper } from './hooked-server.js'

const delayMs = 1200
const users = 500
/** Of the flapping crowd: the delay that users get. */
const defaultDelayMs = 3000
const deadlineMs = 30_000

describeWith(['redis'], 'webhooks of two nodes', () => {
  let redis: RedisServer
  let receiver: WebhookReceiver
  let nodes: [HookedServer, HookedServer]
  const everything: HookedServer[] = []
  beforeAll(async () => {
    redis = await RedisServer.start()
  })
  beforeEach(async () => {
    receiver = await WebhookReceiver.start([oneApp])
  })
  afterEach(async () => {
    await Promise.all(everything.splice(0).map((node) => node.stop()))
    await receiver.close()
    expect(receiver.figures.invalid).toBe(0)
  })
  afterAll(() => redis?.close())

  const start = async (webhook: Settings, app: Settings = {}) => {
    const prefix = `t${randomBytes(4).toString('hex')}`
    const apps = [{ id: appId, ...credentials, ...app, webhooks: [hook(receiver, '/hook', webhook)] }]
    const settings = { redis: { url: redis.url, prefix }, cluster: { leaseMs: 1500 } }
    nodes = [await HookedServer.start(apps, settings), await HookedServer.start(apps, settings)]
    everything.push(...nodes)
    for (const node of nodes) await eventually('a node is ready', () => node.ready(), deadlineMs)
  }

  const sum = async (outcome: string) => (await nodes[0].outcome(outcome)) + (await nodes[1].outcome(outcome))
  const queued = async () => (await nodes[0].queued()) + (await nodes[1].queued())

  it('tell each change once, and nothing of a user who changes nodes', async () => {
    await start({ leaveDelayMs: delayMs })
    const [one, two] = [await nodes[0].connect(), await nodes[1].connect()]
    const channels = Array.from({ length: 20 }, (_, index) => `presence-${index}`)
    for (const channel of channels) {
      await join(one, channel, 'ann')
      await join(two, channel, 'ann')
    }
    await receiver.heard(2 * channels.length)
    for (const channel of channels) leave(one, channel)
    for (const channel of channels) await nodes[1].subscriptions(channel, 1)
    const leftMs = performance.now()
    for (const channel of channels) leave(two, channel)
    for (const channel of channels) await nodes[0].occupied(channel, false)
    // Back within the delay, on the other node.
    const back = channels.slice(0, 10)
    await Promise.all(back.map((channel) => joinOn(nodes[0], channel, 'ann')))
    expect(performance.now() - leftMs, 'the return comes in time').toBeLessThan(delayMs)
    await receiver.heard(3 * channels.length)
    await eventually('all is dealt with', async () => (await queued()) === 0)
    for (const channel of channels) {
      const told = namesOf(receiver.events({ channel })).toSorted()
      const gone = back.includes(channel) ? [] : ['channel_vacated', 'member_removed']
      expect(told, channel).toEqual(['channel_occupied', ...gone.slice(0, 1), 'member_added', ...gone.slice(1)])
    }
    expect(await sum('paired')).toBe(4 * back.length)
    expect(await sum('delivered')).toBe(3 * channels.length)
    const ids = receiver.events().map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
    for (const client of [one, two]) client.close()
  })

  it('share the work', async () => {
    await start({})
    const client = await nodes[0].connect()
    await eventually('both have sent something', async () => {
      await client.subscribe(`c-${randomBytes(4).toString('hex')}`)
      return (await nodes[0].outcome('delivered')) > 0 && (await nodes[1].outcome('delivered')) > 0
    })
    client.close()
  })

  it('tell a client event and a cache miss once', async () => {
    await start({ events: ['client_event', 'cache_miss'] })
    const [one, two] = [await nodes[0].connect(), await nodes[1].connect()]
    const channel = 'private-cache-a'
    await Promise.all([one, two].map((client) => client.subscribePrivate(channel, credentials)))
    for (const client of [one, two]) await client.next('pusher:cache_miss')
    whisper(one, channel, 'client-one', {})
    expect((await two.next('client-one')).channel).toBe(channel)
    whisper(two, channel, 'client-two', {})
    expect((await one.next('client-two')).channel).toBe(channel)
    await receiver.heard(3)
    await eventually('all is dealt with', async () => (await queued()) === 0)
    const told = receiver.events().map(({ name, event, socket_id: by }) => [event ?? name, by])
    expect(told.toSorted()).toEqual([
      ['cache_miss', undefined],
      ['client-one', one.socketId],
      ['client-two', two.socketId],
    ])
    for (const client of [one, two]) client.close()
  })

  it('tell subscription counts of the cluster, and at last the true one', async () => {
    await start({ events: ['subscription_count'] }, { subscriptionCount: { enabled: true } })
    const clients = [await nodes[0].connect(), await nodes[1].connect(), await nodes[1].connect()]
    for (const client of clients) await client.subscribe('counted')
    const last = () => receiver.events().at(-1)?.subscription_count
    await eventually('three are told', () => last() === 3)
    for (const client of clients) client.close()
    await eventually('none is told', () => last() === 0)
    const counts = receiver.events().map(({ subscription_count: count }) => count)
    expect(counts.every((count) => typeof count === 'number' && count >= 0 && count <= 3)).toBe(true)
  })

  it('lose nothing when one of them goes while the receiver fails', async () => {
    await start({})
    receiver.answer(500)
    const client = await nodes[0].connect()
    const stays = await nodes[1].connect()
    const channels = Array.from({ length: 40 }, (_, index) => `c-${index}`)
    for (const channel of channels) await client.subscribe(channel)
    for (const channel of channels) await stays.subscribe(channel)
    for (const channel of channels) await nodes[1].subscriptions(channel, 2)
    await receiver.attempted(channels.length)
    await nodes[0].drainAndStop()
    expect(receiver.events()).toEqual([])
    receiver.answer(200)
    await receiver.heard(channels.length, {}, deadlineMs)
    await eventually('all is dealt with', async () => (await nodes[1].queued()) === 0, deadlineMs)
    const told = withoutRepeats(receiver.events())
    expect(told.map(({ channel }) => channel).toSorted()).toEqual(channels.toSorted())
    expect(counted(told)).toEqual({ channel_occupied: channels.length })
    // The ids of the attempts that failed at the first node.
    const ids = new Set(receiver.attempts.flatMap(({ events }) => events.map(({ id }) => id)))
    expect(ids.size).toBe(channels.length)
    stays.close()
  })

  it('a leave that waits for its return goes on waiting at the other node', async () => {
    const holdMs = 2500
    await start({ leaveDelayMs: holdMs })
    const client = await nodes[1].connect()
    const channels = Array.from({ length: 30 }, (_, index) => `presence-${index}`)
    for (const channel of channels) await join(client, channel, 'ann')
    await receiver.heard(2 * channels.length)
    const leftMs = performance.now()
    for (const channel of channels) leave(client, channel)
    for (const channel of channels) await nodes[1].occupied(channel, false)
    // What both have in hand is told: the node that goes has something to leave behind.
    await eventually('all leaves are held', async () => (await nodes[0].queued()) > 0 && (await queued()) === 60)
    await nodes[0].drainAndStop()
    const back = channels.slice(0, 15)
    for (const channel of back) await join(client, channel, 'ann')
    expect(performance.now() - leftMs, 'the returns come in time').toBeLessThan(holdMs)
    expect(receiver.events()).toHaveLength(60)
    await receiver.heard(60 + 2 * 15, {}, deadlineMs)
    await eventually('all is dealt with', async () => (await nodes[1].queued()) === 0)
    const told = withoutRepeats(receiver.events())
    expect(counted(told)).toEqual({ channel_occupied: 30, member_added: 30, channel_vacated: 15, member_removed: 15 })
    for (const channel of back) expect(namesOf(receiver.events({ channel })), channel).toHaveLength(2)
    client.close()
  })

  it('a planned restart that everybody survives at the other node causes none', async () => {
    await start({ leaveDelayMs: 2000 })
    const channels = Array.from({ length: 10 }, (_, index) => `presence-${index}`)
    const before = await nodes[0].connect()
    for (const channel of channels) await join(before, channel, 'ann')
    await receiver.heard(2 * channels.length)
    const stopped = nodes[0].drainAndStop()
    expect((await before.waitForClose()).code).toBe(4200)
    const after = await nodes[1].connect()
    for (const channel of channels) await join(after, channel, 'ann')
    await stopped
    // The last that happens in each channel, and so after everything that the restart could have caused in it.
    for (const channel of channels) leave(after, channel)
    await receiver.heard(4 * channels.length, {}, deadlineMs)
    await eventually('all is dealt with', async () => (await nodes[1].queued()) === 0)
    expect(counted(withoutRepeats(receiver.events()))).toEqual({
      channel_occupied: channels.length,
      member_added: channels.length,
      channel_vacated: channels.length,
      member_removed: channels.length,
    })
    after.close()
  })

  it('500 users back within 2 s cause no webhook; away for 5 s one of each', async () => {
    await start({ leaveDelayMs: defaultDelayMs, batch: { enabled: true } })
    const channel = 'presence-stadium'
    const ports = nodes.map(({ port }) => port)
    // The second crowd is the other way round: everybody returns to the other node.
    const first = await Crowd.connect(channel, users, ports)
    const second = await Crowd.connect(channel, users, ports.toReversed())
    const third = await Crowd.connect(channel, users, ports)
    await first.join()
    await receiver.heard(users + 1, {}, deadlineMs)
    expect(counted(receiver.events())).toEqual({ channel_occupied: 1, member_added: users })

    const requests = receiver.attempts.length
    const leftMs = performance.now()
    first.leave()
    await nodes[0].occupied(channel, false)
    await nodes[0].users(channel, 0)
    await second.join()
    expect(performance.now() - leftMs, 'all are back in time').toBeLessThan(defaultDelayMs)
    await eventually('all are paired', async () => (await sum('paired')) === 2 * (users + 1), deadlineMs)
    expect(await queued()).toBe(0)
    expect(receiver.attempts.length).toBe(requests)

    const awayMs = performance.now()
    second.leave()
    await receiver.heard(2 * (users + 1), {}, deadlineMs)
    expect(performance.now() - awayMs).toBeGreaterThanOrEqual(defaultDelayMs - 100)
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, awayMs + 5000 - performance.now())))
    await third.join()
    await receiver.heard(3 * (users + 1), {}, deadlineMs)
    await eventually('all is dealt with', async () => (await queued()) === 0, deadlineMs)
    const events = receiver.events().slice(users + 1)
    expectAwayAndBack(events, users)
    expect(await sum('delivered')).toBe(3 * (users + 1))
    third.leave()
    await nodes[0].occupied(channel, false)
  })
})

/** A client of its own that joins and stays. */
async function joinOn(node: HookedServer, channel: string, userId: string): Promise<void> {
  await join(await node.connect(), channel, userId)
}
