/** Two real nodes on one Redis, seen by the clients that applications use: which node somebody is on makes no difference. */
import Echo from 'laravel-echo'
import Pusher from 'pusher-js'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import type { Account } from '../../harness/auth-endpoint.js'
import { eventually } from '../../harness/eventually.js'
import { credentials } from '../../harness/test-server.js'
import { describeWith } from '../../requirements.js'
import { addressOptions, connected, hear, hearErrors, join, joinPresence, signIn } from './application.js'
import { Heard } from './heard.js'
import { countingApp, member, NodePair, type Side } from './node-pair.js'

const ann: Account = { id: 'ann', info: { name: 'Ann' } }
const bea: Account = { id: 'bea', info: { name: 'Bea' } }
const cleo: Account = { id: 'cleo', info: { name: 'Cleo' } }
/** Watches two who are online in one test only. */
const wanda: Account = { id: 'wanda', info: {}, watchlist: ['walt', 'will'] }
const walt: Account = { id: 'walt', info: {} }
const will: Account = { id: 'will', info: {} }
const accounts = new Map([ann, bea, cleo, wanda, walt, will].map((account) => [account.id, account]))

/** One node and the other. */
const sides: [Side, Side][] = [
  [0, 1],
  [1, 0],
]
const end = { event: 'end', data: {} }

interface WatchlistEvent {
  readonly name: string
  readonly user_ids: readonly string[]
}

describeWith(['redis'], 'two nodes', () => {
  let pair: NodePair
  beforeAll(async () => {
    pair = await NodePair.start(accounts)
  })
  afterEach(() => pair.closePages())
  afterAll(() => pair?.stop())

  /** One page of the account on each node. */
  const pages = (account: Account): Promise<[Pusher, Pusher]> =>
    Promise.all([pair.page(0, account), pair.page(1, account)])

  it.each(sides)('what is triggered at node %i is heard on both, in order', async (here) => {
    const name = `news-${here}`
    const heard = await Promise.all((await pages(ann)).map((page) => join(page, name)))
    const library = pair.libraries[here]
    await library.trigger(name, 'posted', { title: 'Grüße 🔔' })
    await library.trigger([name, 'other'], 'posted', 'plain text')
    await library.triggerBatch(Array.from({ length: 10 }, (_, n) => ({ channel: name, name: `n${n}`, data: { n } })))
    const batched = Array.from({ length: 10 }, (_, n) => ({ event: `n${n}`, data: { n } }))
    const expected = [
      { event: 'posted', data: { title: 'Grüße 🔔' } },
      { event: 'posted', data: 'plain text' },
      ...batched,
    ]
    for (const each of heard) expect(await each.heard.take(12)).toEqual(expected)
  })

  it.each(sides)('the page on node %i that caused a trigger at node %i is left out', async (here, there) => {
    const name = `private-todo-${here}`
    const [sender, near, far] = [await pair.page(here, ann), await pair.page(here, ann), await pair.page(there, ann)]
    const own = await join(sender, name)
    const others = [await join(near, name), await join(far, name)]
    const socketId = sender.connection.socket_id
    await pair.libraries[there].trigger(name, 'added', {}, { socket_id: socketId })
    await pair.libraries[there].triggerBatch([
      { channel: name, name: 'done', data: {}, socket_id: socketId },
      { channel: name, name: 'end', data: {} },
    ])
    for (const { heard } of others) {
      expect((await heard.take(3)).map(({ event }) => event)).toEqual(['added', 'done', 'end'])
    }
    expect(await own.heard.next()).toEqual(end)
  })

  it.each(sides)(
    'client events from node %i reach every other page, with the id of the sender',
    async (here, there) => {
      const name = `presence-editor-${here}`
      const own = await join(await pair.page(here, ann), name)
      const receivers = [
        await join(await pair.page(there, ann), name),
        await join(await pair.page(here, bea), name),
        await join(await pair.page(there, bea), name),
      ]
      const cursors = receivers.map(({ channel }) => {
        const heard = new Heard<unknown>()
        channel.bind('client-cursor', (data: unknown, from: unknown) => heard.add({ data, from }))
        return heard
      })
      for (const x of [1, 2, 3]) expect(own.channel.trigger('client-cursor', { x })).toBe(true)
      const expected = [1, 2, 3].map((x) => ({ data: { x }, from: { user_id: 'ann' } }))
      for (const heard of cursors) expect(await heard.take(3)).toEqual(expected)
      await pair.libraries[there].trigger(name, 'end', {})
      expect((await own.heard.take(2)).map(({ event }) => event)).toEqual(['pusher:member_added', 'end'])
      for (const heard of cursors) expect(heard.all).toHaveLength(3)
    },
  )

  it.each(['cache-a', 'private-cache-a', 'private-encrypted-cache-a', 'presence-cache-a'])(
    '%s is missed on both nodes, then both find the last event of the other',
    async (name) => {
      const first = await Promise.all((await pages(ann)).map((page) => join(page, name)))
      for (const { heard } of first) expect(await heard.next()).toEqual({ event: 'pusher:cache_miss', data: {} })
      await pair.libraries[0].trigger(name, 'price', { usd: 1 })
      await pair.libraries[1].trigger(name, 'price', { usd: 2 })
      const second = await Promise.all((await pages(ann)).map((page) => join(page, name)))
      for (const { heard } of second) expect(await heard.next()).toEqual({ event: 'price', data: { usd: 2 } })
      await pair.libraries[0].trigger(name, 'price', { usd: 3 })
      for (const { heard } of second) expect(await heard.next()).toEqual({ event: 'price', data: { usd: 3 } })
      const third = await join(await pair.page(1, ann), name)
      expect(await third.heard.next()).toEqual({ event: 'price', data: { usd: 3 } })
      for (const { data } of (await pair.read(`/channels/${name}`, { info: 'cache' })).map(cacheOf)) {
        expect(data).toEqual(name.includes('encrypted') ? expect.stringContaining('ciphertext') : '{"usd":3}')
      }
    },
  )

  it.each(sides)('what node %i was given encrypted is decrypted on both', async (here) => {
    const name = `private-encrypted-safe-${here}`
    const heard = await Promise.all((await pages(ann)).map((page) => join(page, name)))
    await pair.libraries[here].trigger(name, 'paid', { card: '4242' })
    for (const each of heard) expect(await each.heard.next()).toEqual({ event: 'paid', data: { card: '4242' } })
  })

  it.each(sides)('a page on node %i sees a user come to node %i and leave', async (here, there) => {
    const name = `presence-room-${here}`
    const own = await joinPresence(await pair.page(here, ann), name)
    const other = await pair.page(there, bea)
    const { members, heard } = await joinPresence(other, name)
    expect([members.count, members.me, members.get('ann')]).toEqual([2, member(bea), member(ann)])
    expect(await own.heard.next()).toEqual({ event: 'pusher:member_added', data: member(bea) })
    expect(await pair.read(`/channels/${name}/users`)).toEqual(both({ users: [{ id: 'ann' }, { id: 'bea' }] }))
    other.disconnect()
    expect(await own.heard.next()).toEqual({ event: 'pusher:member_removed', data: member(bea) })
    expect(own.members.count).toBe(1)
    expect(await pair.read(`/channels/${name}/users`)).toEqual(both({ users: [{ id: 'ann' }] }))
    expect(heard.all).toHaveLength(1)
  })

  it('a user on both nodes comes once and goes once, also when both come and go at the same moment', async () => {
    const name = 'presence-tabs'
    const watchers = [await join(await pair.page(0, bea), name), await join(await pair.page(1, cleo), name)]
    expect(await watchers[0]!.heard.next()).toEqual({ event: 'pusher:member_added', data: member(cleo) })
    const tabs = await pages(ann)
    for (let round = 0; round < 20; round += 1) {
      await Promise.all(tabs.map((tab) => join(tab, name)))
      for (const tab of tabs) tab.unsubscribe(name)
      for (const { heard } of watchers) {
        expect(await heard.take(2)).toEqual([
          { event: 'pusher:member_added', data: member(ann) },
          { event: 'pusher:member_removed', data: member(ann) },
        ])
      }
    }
    await Promise.all(tabs.map((tab) => join(tab, name)))
    expect(await pair.read(`/channels/${name}`, { info: 'user_count' })).toEqual(
      both({ occupied: true, user_count: 3 }),
    )
    await counted(name, 4)
    tabs[0].disconnect()
    await counted(name, 3)
    tabs[1].disconnect()
    for (const { heard } of watchers) {
      expect((await heard.take(2)).map(({ event }) => event)).toEqual(['pusher:member_added', 'pusher:member_removed'])
    }
    await pair.libraries[0].trigger(name, 'end', {})
    for (const { heard } of watchers) expect(await heard.next()).toEqual(end)
  })

  it('a user who changes nodes again and again is removed and added in turn, and both nodes tell the same', async () => {
    const name = 'presence-moves'
    const watchers = [
      await joinPresence(await pair.page(0, bea), name),
      await joinPresence(await pair.page(1, bea), name),
    ]
    const tabs = await pages(ann)
    await join(tabs[0], name)
    for (let round = 0; round < 20; round += 1) {
      const [from, to] = round % 2 === 0 ? tabs : tabs.toReversed()
      from!.unsubscribe(name)
      await join(to!, name)
    }
    // It comes over the same bus channel as the member events, and so after all of them.
    await pair.libraries[1].trigger(name, 'end', {})
    await eventually('the end', () => watchers.every(({ heard }) => heard.all.at(-1)?.event === 'end'))
    const told = watchers.map(({ heard }) => heard.all.slice(1).map(({ event }) => event))
    for (const events of told) {
      const expected = events.map((_event, index) => ['pusher:member_added', 'pusher:member_removed'][index % 2])
      expect(events.slice(0, -1)).toEqual(expected.slice(0, -1))
    }
    expect(watchers.map(({ members }) => members.count)).toEqual([2, 2])
    expect(told[0]).toEqual(told[1])
  })

  it('the subscription count of all nodes is told on all', async () => {
    const open = (side: Side) => pair.page(side, undefined, { key: countingApp.key })
    const stay = [await open(0), await open(1)].map((page) => hear(page, 'counted'))
    const told = (count: number) =>
      eventually(`${count} on both nodes`, () =>
        stay.every(({ heard }) => {
          const last = heard.all.at(-1)
          return last?.event === 'pusher:subscription_count' && countOf(last.data) === count
        }),
      )
    await told(2)
    const more = [await open(0), await open(1), await open(1)]
    for (const page of more) await join(page, 'counted')
    await told(5)
    expect(stay.map(({ channel }) => channel.subscriptionCount)).toEqual([5, 5])
    more[0]!.disconnect()
    more[1]!.unsubscribe('counted')
    await told(3)
  })

  it.each(sides)('what node %i is asked to send to a user reaches every page of theirs', async (here) => {
    const [anns, beas] = [await pages(ann), await pages(bea)]
    const heard = await Promise.all(
      [...anns, ...beas].map(async (page) => {
        const each = new Heard<unknown>()
        page.user.bind('invoice', each.add)
        await signIn(page)
        return each
      }),
    )
    await pair.libraries[here].sendToUser('ann', 'invoice', { id: 1 })
    await pair.libraries[here].sendToUser('bea', 'invoice', { id: 2 })
    expect(await Promise.all(heard.map((each) => each.next()))).toEqual([{ id: 1 }, { id: 1 }, { id: 2 }, { id: 2 }])
    for (const each of heard) expect(each.all).toHaveLength(1)
  })

  it.each(sides)('node %i ends the connections of a user on both, and no other', async (here, there) => {
    const [anns, beas] = [await pages(ann), await pages(bea)]
    for (const page of [...anns, ...beas]) await signIn(page)
    const errors = anns.map(hearErrors)
    await pair.libraries[here].terminateUserConnections('ann')
    for (const each of errors) expect(await each.next()).toMatchObject({ data: { code: 4009 } })
    for (const page of anns) {
      await eventually('the end of the connection', () => page.connection.state === 'disconnected')
    }
    const name = `still-there-${here}`
    const stay = await Promise.all(beas.map((page) => join(page, name)))
    await pair.libraries[there].trigger(name, 'end', {})
    for (const { heard } of stay) expect(await heard.next()).toEqual(end)
    await signIn(await pair.page(there, ann))
  })

  it('a watchlist tells of users on either node, when their first page comes and their last goes', async () => {
    const watch = async (side: Side): Promise<Heard<WatchlistEvent>> => {
      const [page, heard] = [await pair.page(side, wanda), new Heard<WatchlistEvent>()]
      for (const name of ['online', 'offline']) page.user.watchlist.bind(name, heard.add)
      await signIn(page)
      return heard
    }
    const first = await watch(0)
    expect(await first.next()).toEqual({ name: 'offline', user_ids: ['walt', 'will'] })
    const tabs = [await pair.page(1, walt), await pair.page(0, walt)]
    for (const tab of tabs) await signIn(tab)
    expect(await first.next()).toEqual({ name: 'online', user_ids: ['walt'] })
    const second = await watch(1)
    const seen = await second.take(2)
    expect(seen).toContainEqual({ name: 'online', user_ids: ['walt'] })
    expect(seen).toContainEqual({ name: 'offline', user_ids: ['will'] })
    for (const tab of tabs) tab.disconnect()
    for (const each of [first, second]) expect(await each.next()).toEqual({ name: 'offline', user_ids: ['walt'] })
    await signIn(await pair.page(1, will))
    for (const each of [first, second]) expect(await each.next()).toEqual({ name: 'online', user_ids: ['will'] })
  })

  it('the REST API of either node tells of both', async () => {
    const [anns, beas] = [await pages(ann), await pages(bea)]
    for (const page of [...anns, beas[1]]) await join(page, 'presence-read-room')
    await join(beas[0], 'read-public')
    await join(beas[1], 'private-read-orders')
    const users = { users: [{ id: 'ann' }, { id: 'bea' }] }
    expect(await pair.read('/channels/presence-read-room/users')).toEqual(both(users))
    const info = 'user_count,subscription_count'
    const room = { user_count: 2, subscription_count: 3 }
    // Subscription counts may lag 200 ms between nodes (D8).
    const agree = (path: string, params: Record<string, string>, expected: unknown) =>
      expect.poll(() => pair.read(path, params), { timeout: 5000 }).toEqual(both(expected))
    await agree('/channels/presence-read-room', { info }, { occupied: true, ...room })
    await agree('/channels', { filter_by_prefix: 'presence-read', info }, { channels: { 'presence-read-room': room } })
    await agree('/channels', { filter_by_prefix: 'read-' }, { channels: { 'read-public': {} } })
    await agree('/channels/private-read-orders', {}, { occupied: true })
    await agree('/channels/nobody', { info: 'subscription_count' }, { occupied: false, subscription_count: 0 })
    await agree('/connections', {}, { connections: 4 })
    const channels = ['presence-read-room', 'read-public', 'read-empty']
    for (const library of pair.libraries) {
      const answer = await library.trigger(channels, 'e', {}, { info })
      expect(await answer.json()).toEqual({
        channels: {
          'presence-read-room': room,
          'read-public': { subscription_count: 1 },
          'read-empty': { subscription_count: 0 },
        },
      })
    }
    beas[1].disconnect()
    await agree('/channels/private-read-orders', {}, { occupied: false })
    await agree('/channels/presence-read-room/users', {}, { users: [{ id: 'ann' }] })
    await agree('/connections', {}, { connections: 3 })
  })

  it('laravel-echo: who is here, whispers, and toOthers, between pages on two nodes', async () => {
    const watcher = await openEcho(pair, 0, bea)
    const heard = new Heard<unknown>()
    watcher
      .join('echo')
      .here((users: unknown) => heard.add({ here: users }))
      .joining((user: unknown) => heard.add({ joining: user }))
      .leaving((user: unknown) => heard.add({ leaving: user }))
      .listenForWhisper('typing', (data: unknown) => heard.add({ whisper: data }))
      .listen('Saved', (data: unknown) => heard.add({ saved: data }))
    expect(await heard.next()).toEqual({ here: [bea.info] })
    const other = await openEcho(pair, 1, ann)
    const others = new Heard<unknown>()
    other
      .join('echo')
      .here((users: unknown) => others.add({ here: users }))
      .listen('Saved', (data: unknown) => others.add({ saved: data }))
    expect(await others.next()).toEqual({ here: [bea.info, ann.info] })
    expect(await heard.next()).toEqual({ joining: ann.info })
    other.join('echo').whisper('typing', { by: 'Ann' })
    expect(await heard.next()).toEqual({ whisper: { by: 'Ann' } })
    const toOthers = { socket_id: other.socketId() ?? '' }
    await pair.libraries[0].trigger('presence-echo', 'App\\Events\\Saved', { n: 1 }, toOthers)
    await pair.libraries[0].trigger('presence-echo', 'App\\Events\\Saved', { n: 2 })
    expect(await heard.take(2)).toEqual([{ saved: { n: 1 } }, { saved: { n: 2 } }])
    expect(await others.next()).toEqual({ saved: { n: 2 } })
    other.leave('echo')
    expect(await heard.next()).toEqual({ leaving: ann.info })
  })

  /** Waits until both nodes tell so many subscriptions. */
  async function counted(channel: string, subscriptions: number): Promise<void> {
    const read = () => pair.read(`/channels/${channel}`, { info: 'subscription_count' })
    await eventually('that many subscriptions', async () =>
      (await read()).every((each) => countOf(each) === subscriptions),
    )
  }
})

function both<Value>(value: Value): [Value, Value] {
  return [value, value]
}

function countOf(body: unknown): number {
  return (body as { subscription_count: number }).subscription_count
}

function cacheOf(body: unknown): { data: string } {
  return (body as { cache: { data: string } }).cache
}

async function openEcho(pair: NodePair, side: Side, account: Account): Promise<Echo<'reverb'>> {
  const echo = new Echo<'reverb'>({
    broadcaster: 'reverb',
    key: credentials.key,
    ...addressOptions(pair.nodes[side].port),
    Pusher,
    authEndpoint: `${pair.auth.url}/broadcasting/auth`,
    bearerToken: account.id,
  })
  await connected(pair.adopt(echo.connector.pusher))
  return echo
}
