import { connect, createServer, type Server, type Socket } from 'node:net'
import Pusher from 'pusher-js'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { ServerNode } from '../../black-box/server-node.js'
import { sleep } from '../../black-box/waiting.js'
import { AuthEndpoint, type Account } from '../../harness/auth-endpoint.js'
import { eventually } from '../../harness/eventually.js'
import { freePort } from '../../harness/free-port.js'
import { RawClient } from '../../harness/raw-client.js'
import { appId, credentials, TestServer } from '../../harness/test-server.js'
import { describeWith } from '../../requirements.js'
import {
  accounts,
  addressOptions,
  ann,
  bea,
  connected,
  hearErrors,
  join,
  joinPresence,
  libraryFor,
  signIn,
  type ChannelEvent,
} from './application.js'
import { Heard } from './heard.js'
import { drain, member, NodePair } from './node-pair.js'

const channelCount = 900
/** The default of `presence.handoverMs`. */
const handoverMs = 5000
/** The hold, and the beat that notices its end; D6 allows a killed node's members as much. */
const removedMs = 15_000
/** Where nobody listens, pusher-js tries again only after so long. */
const refusedAgainMs = 15_000
const host: Account = { id: 'host', info: {}, watchlist: ['ann'] }
const cleo: Account = { id: 'cleo', info: { name: 'Cleo' } }
const users = new Map([ann, bea, cleo, host].map((account) => [account.id, account]))
const settings = { drain: { preStopDelayMs: 0, periodMs: 0 } }

describe('pusher-js in Node: a restart of the server', () => {
  const cleanUp: (() => unknown)[] = []
  afterEach(async () => {
    for (const step of cleanUp.splice(0).reverse()) await step()
  })

  it(`brings ${channelCount} channels of one page back after a 4200 without one refused`, async () => {
    const [leaving, coming] = [await TestServer.start({}, settings), await TestServer.start({}, settings)]
    cleanUp.push(
      () => leaving.stop(),
      () => coming.stop(),
    )
    const balancer = await Balancer.start(leaving.running.port)
    cleanUp.push(() => balancer.stop())
    const auth = await AuthEndpoint.start({ library: libraryFor(leaving), accounts })
    cleanUp.push(() => auth.stop())
    const page = pageAt(balancer.port, auth)
    cleanUp.push(() => page.disconnect())
    await connected(page)
    const [errors, refused] = [hearErrors(page), new Heard<unknown>()]
    const channels = channelNames().map((name) => page.subscribe(name))
    for (const channel of channels) channel.bind('pusher:subscription_error', refused.add)
    const subscribedCount = () => channels.filter((channel) => channel.subscribed).length
    await eventually(`${channelCount} subscriptions`, () => subscribedCount() === channelCount, 20_000)
    const firstSocketId = page.connection.socket_id

    balancer.target = coming.running.port
    await leaving.running.drainAndStop()
    await eventually('a new connection', () => {
      return page.connection.state === 'connected' && page.connection.socket_id !== firstSocketId
    })
    await eventually(`${channelCount} subscriptions again`, () => subscribedCount() === channelCount, 20_000)

    const answer = await libraryFor(coming).get({ path: '/channels' })
    expect(Object.keys(((await answer.json()) as { channels: object }).channels)).toHaveLength(channelCount)
    expect(refused.all).toEqual([])
    // pusher-js tells one close three times: the event, the close frame, and as its socket's error.
    for (const error of errors.all) expect(JSON.stringify(error)).toContain('"code":4200')
    expect(errors.all).toHaveLength(3)
  })

  it('brings the pages of the only node back without a refusal, when they are asked to wait a second', async () => {
    const tree = {
      port: await freePort(),
      apps: [{ id: appId, ...credentials }],
      drain: { preStopDelayMs: 0, periodMs: 0, reconnect: 'after-a-second' },
    }
    const node = await ServerNode.start(tree)
    cleanUp.push(() => node.close())
    const page = new Pusher(credentials.key, addressOptions(node.port))
    cleanUp.push(() => page.disconnect())
    const { heard } = await join(page, 'news')
    const [firstSocketId, errors] = [page.connection.socket_id, hearErrors(page)]

    node.signal('SIGTERM')
    await eventually('the end of the node', () => node.exit?.code === 0, 10_000)
    const again = await node.again()
    cleanUp.push(() => again.close())
    await eventually('the channel again', () => successes(heard) === 2, refusedAgainMs - 1000)
    expect(page.connection.socket_id).not.toBe(firstSocketId)
    for (const error of errors.all) expect(JSON.stringify(error)).toContain('"code":4100')
    expect(errors.all).toHaveLength(3)
  })
})

describeWith(['redis'], 'pusher-js in Node: a node of two is stopped', () => {
  let pair: NodePair
  let balancer: Balancer
  beforeAll(async () => {
    pair = await NodePair.start(users)
    balancer = await Balancer.start(pair.nodes[1].port)
  })
  afterAll(async () => {
    await pair?.stop()
    await balancer?.stop()
  })

  it('its pages come back on the other, and nobody there saw them leave', async () => {
    const name = 'presence-handover'
    const statuses = new Heard<unknown>()
    const watcher = await pair.page(0, host)
    for (const event of ['online', 'offline']) watcher.user.watchlist.bind(event, statuses.add)
    await signIn(watcher)
    const { members, heard } = await joinPresence(watcher, name)
    const pages = await Promise.all([ann, bea].map((account) => pair.pageAt(balancer.port, account)))
    for (const page of pages) await signIn(page)
    const rooms = await Promise.all(pages.map((page) => joinPresence(page, name)))
    const orders = await Promise.all(pages.map((page) => join(page, 'private-orders')))
    const lost = await RawClient.connect(`ws://127.0.0.1:${balancer.port}/app/${credentials.key}?protocol=7`)
    await lost.subscribePresence(name, credentials, cleo.id, cleo.info)
    await eventually('all four are there', () => members.count === 4)
    const [toldBefore, errors] = [heard.all.length, pages.map(hearErrors)]

    balancer.target = pair.nodes[0].port
    pair.nodes[1].signal('SIGTERM')
    const stoppedAtMs = performance.now()
    await eventually('every channel again', () => [...rooms, ...orders].every((each) => successes(each.heard) === 2))
    await eventually('the end of the node', () => pair.nodes[1].exit?.code === 0, 10_000)
    for (const each of errors) expect(JSON.stringify(each.all[0])).toContain('"code":4200')
    expect(lost.closed?.code).toBe(4200)

    // Who does not come back is held as long as those who did.
    await eventually('the lost one is removed', () => heard.all.length > toldBefore, removedMs)
    expect(performance.now() - stoppedAtMs).toBeGreaterThan(handoverMs - 100)
    // The closes were spread over this time, and so are the ends of what was held.
    await sleep(drain.periodMs)
    await pair.libraries[0].trigger([name, 'private-orders'], 'end', {})
    await eventually('the end of both channels', () =>
      [...rooms, ...orders, { heard }].every((each) => each.heard.all.at(-1)?.event === 'end'),
    )
    expect(heard.all.slice(toldBefore)).toEqual([
      { event: 'pusher:member_removed', data: member(cleo) },
      { event: 'end', data: {} },
    ])
    expect([members, ...rooms.map((room) => room.members)].map(({ count }) => count)).toEqual([3, 3, 3])
    expect(statuses.all).toEqual([
      { name: 'offline', user_ids: ['ann'] },
      { name: 'online', user_ids: ['ann'] },
    ])
  })
})

/** How often a channel's subscription has succeeded. */
function successes(heard: Heard<ChannelEvent>): number {
  return heard.all.filter(({ event }) => event === 'pusher:subscription_succeeded').length
}

/** A third of them each: public, private, presence. */
function channelNames(): string[] {
  return Array.from({ length: channelCount }, (_, n) => `${['', 'private-', 'presence-'][n % 3] ?? ''}channel-${n}`)
}

function pageAt(port: number, auth: AuthEndpoint): Pusher {
  return new Pusher(credentials.key, {
    ...addressOptions(port),
    channelAuthorization: {
      transport: 'ajax',
      endpoint: `${auth.url}/pusher/auth`,
      headers: { authorization: `Bearer ${ann.id}` },
    },
  })
}

/** One address whose new connections go to whichever server is the target. */
class Balancer {
  target: number
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(target: number) {
    this.target = target
    this.#server = createServer((near) => {
      const far = connect(this.target, '127.0.0.1')
      for (const socket of [near, far]) this.#sockets.add(socket)
      near.on('error', () => far.destroy()).pipe(far)
      far.on('error', () => near.destroy()).pipe(near)
    })
  }

  static async start(target: number): Promise<Balancer> {
    const balancer = new Balancer(target)
    await new Promise<void>((resolve) => balancer.#server.listen(0, '127.0.0.1', resolve))
    return balancer
  }

  get port(): number {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('the balancer has no port')
    return address.port
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}
