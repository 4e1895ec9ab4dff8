import Echo from 'laravel-echo'
import Pusher from 'pusher-js'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { credentials } from '../../harness/test-server.js'
import { addressOptions, ann, bea, connected, sharedApplication, signIn, type Application } from './application.js'
import type { Account } from '../../harness/auth-endpoint.js'
import { Heard } from './heard.js'

type Page = Echo<'reverb'> | Echo<'pusher'>

const broadcasters: readonly { name: string; open(application: Application, account: Account): Page }[] = [
  {
    name: 'reverb',
    open: (application, account) => new Echo<'reverb'>({ broadcaster: 'reverb', ...options(application, account) }),
  },
  {
    name: 'pusher',
    open: (application, account) => new Echo<'pusher'>({ broadcaster: 'pusher', ...options(application, account) }),
  },
]

/** As a Laravel application has them, except that it runs in a browser and finds /broadcasting/auth beside its pages. */
function options(application: Application, account: Account) {
  return {
    key: credentials.key,
    ...addressOptions(application.server.running.port),
    Pusher,
    authEndpoint: `${application.auth.url}/broadcasting/auth`,
    userAuthentication: {
      transport: 'ajax' as const,
      endpoint: `${application.auth.url}/broadcasting/user-auth`,
      headers: {},
    },
    bearerToken: account.id,
  }
}

describe.each(broadcasters)('laravel-echo with the $name broadcaster', ({ open }) => {
  const application = sharedApplication()
  afterEach(() => vi.unstubAllGlobals())

  const connect = async (account: Account): Promise<Page> => {
    const echo = open(application(), account)
    await connected(application().adopt(echo.connector.pusher))
    return echo
  }
  const broadcast = (channel: string, event: string, data: unknown, socketId?: string) =>
    application().library.trigger(channel, event, data, socketId === undefined ? {} : { socket_id: socketId })

  it('listens on a public channel, to events with and without the namespace', async () => {
    const echo = await connect(ann)
    const heard = new Heard<unknown>()
    echo.channel('orders').listen('OrderShipped', heard.add).listen('.order.paid', heard.add)
    await subscribed(echo.channel('orders'))
    await broadcast('orders', 'App\\Events\\OrderShipped', { id: 1, socket: null })
    await broadcast('orders', 'order.paid', { id: 2 })
    expect(await heard.take(2)).toEqual([{ id: 1, socket: null }, { id: 2 }])
    expect(echo.connectionStatus()).toBe('connected')
  })

  it('listens on private and encrypted channels through /broadcasting/auth', async () => {
    const echo = await connect(ann)
    const heard = new Heard<unknown>()
    const [plain, encrypted] = [echo.private('orders.1'), echo.encryptedPrivate('orders.1')]
    plain.listen('OrderShipped', heard.add)
    encrypted.listen('OrderPaid', heard.add)
    await Promise.all([subscribed(plain), subscribed(encrypted)])
    await broadcast('private-orders.1', 'App\\Events\\OrderShipped', { id: 1 })
    expect(await heard.next()).toEqual({ id: 1 })
    await broadcast('private-encrypted-orders.1', 'App\\Events\\OrderPaid', { card: '4242' })
    expect(await heard.next()).toEqual({ card: '4242' })
    expect(application().auth.asked).toContainEqual({
      path: '/broadcasting/auth',
      channel: 'private-orders.1',
      status: 200,
    })
  })

  it('knows who is here, who joins and who leaves, each user once', async () => {
    const watcher = await connect(bea)
    const heard = new Heard<unknown>()
    watcher
      .join('room')
      .here((users: unknown) => heard.add({ here: users }))
      .joining((user: unknown) => heard.add({ joining: user }))
      .leaving((user: unknown) => heard.add({ leaving: user }))
    expect(await heard.next()).toEqual({ here: [{ name: 'Bea' }] })
    const tabs = [await connect(ann), await connect(ann)]
    for (const tab of tabs) {
      const here = new Heard<unknown>()
      tab.join('room').here(here.add)
      expect(await here.next()).toEqual([{ name: 'Bea' }, { name: 'Ann' }])
    }
    expect(await heard.next()).toEqual({ joining: { name: 'Ann' } })
    tabs[0]!.leave('room')
    tabs[1]!.disconnect()
    expect(await heard.next()).toEqual({ leaving: { name: 'Ann' } })
    expect(heard.all).toHaveLength(3)
  })

  it('whispers to everybody else', async () => {
    const [first, second] = [await connect(ann), await connect(bea)]
    const heard = new Heard<unknown>()
    first.private('chat').listenForWhisper('typing', (data: unknown) => heard.add({ first: data }))
    second.private('chat').listenForWhisper('typing', (data: unknown) => heard.add({ second: data }))
    await Promise.all([subscribed(first.private('chat')), subscribed(second.private('chat'))])
    first.private('chat').whisper('typing', { name: 'Ann' })
    expect(await heard.next()).toEqual({ second: { name: 'Ann' } })
    second.private('chat').whisper('typing', { name: 'Bea' })
    expect(await heard.next()).toEqual({ first: { name: 'Bea' } })
    expect(heard.all).toHaveLength(2)
  })

  it('gives X-Socket-ID to requests, so that toOthers leaves out this page', async () => {
    const interceptors: ((request: { headers: Record<string, string> }) => unknown)[] = []
    const use = (interceptor: (typeof interceptors)[number]) => interceptors.push(interceptor)
    vi.stubGlobal(
      'axios',
      Object.assign(() => undefined, { interceptors: { request: { use } } }),
    )
    const [first, second] = [await connect(ann), await connect(ann)]
    const heard = new Heard<unknown>()
    first.private('todo').listen('Added', (data: unknown) => heard.add({ first: data }))
    second.private('todo').listen('Added', (data: unknown) => heard.add({ second: data }))
    await Promise.all([subscribed(first.private('todo')), subscribed(second.private('todo'))])
    const request = { headers: {} as Record<string, string> }
    interceptors[0]!(request)
    expect(request.headers['X-Socket-Id']).toBe(first.socketId())
    await broadcast('private-todo', 'App\\Events\\Added', { n: 1 }, request.headers['X-Socket-Id'])
    await broadcast('private-todo', 'App\\Events\\Added', { n: 2 }, second.socketId())
    expect(await heard.take(2)).toEqual([{ second: { n: 1 } }, { first: { n: 2 } }])
  })

  it('gets a refusal of the application in error()', async () => {
    const echo = await connect(ann)
    const heard = new Heard<unknown>()
    echo.private('forbidden').error(heard.add)
    echo.join('forbidden').error(heard.add)
    const refused = expect.objectContaining({ type: 'AuthError', status: 403 }) as object
    expect(await heard.take(2)).toEqual([refused, refused])
  })

  it('gets a refusal of the server in error()', async () => {
    const echo = await connect(ann)
    const heard = new Heard<unknown>()
    echo.channel('no/such name').error(heard.add)
    expect(await heard.next()).toMatchObject({ type: 'InvalidChannel', status: 400 })
  })

  it('leaves a channel with its private and presence variants', async () => {
    const echo = await connect(ann)
    const channels = [echo.channel('away'), echo.private('away'), echo.join('away')]
    await Promise.all(channels.map(subscribed))
    const occupied = async () => {
      const answer = await application().library.get({ path: '/channels' })
      return Object.keys(((await answer.json()) as { channels: object }).channels).sort()
    }
    expect(await occupied()).toEqual(['away', 'presence-away', 'private-away'])
    echo.leave('away')
    await subscribed(echo.channel('after-it'))
    expect(await occupied()).toEqual(['after-it'])
  })

  it('signs in at /broadcasting/user-auth, and the user gets what is sent to them', async () => {
    const echo = await connect(ann)
    const heard = new Heard<unknown>()
    echo.connector.pusher.user.bind('invoice', heard.add)
    await signIn(echo.connector.pusher)
    await application().library.sendToUser('ann', 'invoice', { id: 1 })
    expect(await heard.next()).toEqual({ id: 1 })
    expect(application().auth.asked.at(-1)?.path).toBe('/broadcasting/user-auth')
  })

  it('tells of changes of the connection', async () => {
    const echo = await connect(ann)
    const statuses = new Heard<string>()
    const stop = echo.connector.onConnectionChange(statuses.add)
    echo.disconnect()
    expect(await statuses.next()).toBe('disconnected')
    stop()
  })
})

/** Resolves when a channel's subscription has succeeded; for one that has not yet. */
function subscribed(channel: { subscribed(done: () => void): unknown }): Promise<void> {
  return new Promise((resolve) => {
    channel.subscribed(resolve)
  })
}
