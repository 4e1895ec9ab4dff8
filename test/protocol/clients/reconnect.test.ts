import { connect, createServer, type Server, type Socket } from 'node:net'
import Pusher from 'pusher-js'
import { afterEach, describe, expect, it } from 'vitest'
import { AuthEndpoint } from '../../harness/auth-endpoint.js'
import { eventually } from '../../harness/eventually.js'
import { credentials, TestServer } from '../../harness/test-server.js'
import { accounts, addressOptions, ann, connected, hearErrors, libraryFor } from './application.js'
import { Heard } from './heard.js'

const channelCount = 900
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
})

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
