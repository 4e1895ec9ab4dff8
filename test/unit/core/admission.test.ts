import { describe, expect, test } from 'vitest'
import { appKey, appSecret, appSettings } from '../../fakes/app-settings.js'
import { NodeFixture, names } from './node-fixture.js'

const off = appSettings({ id: 'off', keys: [{ key: 'off', secret: 's' }], enabled: false, tlsOnly: true })
const tls = appSettings({
  id: 'tls',
  keys: [{ key: 'tls', secret: 's' }],
  tlsOnly: true,
  allowedOrigins: ['a.example'],
})
const site = appSettings({ id: 'site', keys: [{ key: 'site', secret: 's' }], allowedOrigins: ['a.example'] })
const small = appSettings({ id: 'small', keys: [{ key: 'small', secret: 's' }] }, { connections: 1 })
const apps = [appSettings(), off, tls, site, small]

describe('admission (1.3, 1.5)', () => {
  test('greets an admitted client with its socket id and its timeout, before anything else', async () => {
    const fixture = await NodeFixture.start()
    const client = fixture.connect()
    expect(client.socket.frames).toEqual([
      `{"event":"${names.established}","data":"{\\"socket_id\\":\\"${client.id}\\",\\"activity_timeout\\":30}"}`,
    ])
    expect(client.id).toMatch(/^\d+\.\d+$/)
    expect(client.connection.local.counters.connectionsTotal).toBe(1)
  })

  test.each([
    ['a path that is not /app/KEY', { appKey: undefined }, 4005],
    ['an unknown key', { appKey: 'nope' }, 4001],
    ['a key called __proto__', { appKey: '__proto__' }, 4001],
    ['a disabled app', { appKey: 'off' }, 4003],
    ['no TLS where it is demanded', { appKey: 'tls' }, 4000],
    ['another origin', { appKey: 'site', origin: 'https://evil.example' }, 4009],
    ['no origin where one is demanded', { appKey: 'site', origin: '' }, 4009],
    ['protocol 3', { protocol: '3' }, 4007],
    ['protocol 8', { protocol: '8' }, 4007],
    ['protocol 7.0', { protocol: '7.0' }, 4007],
    ['protocol -7', { protocol: '-7' }, 4007],
    ['an empty protocol', { protocol: '' }, 4007],
    ['a huge protocol', { protocol: '9'.repeat(400) }, 4007],
  ])('refuses %s, as an event and as a close', async (_what, knock, code) => {
    const fixture = await NodeFixture.start({ apps })
    const client = fixture.connect(knock)
    expect(client.opened).toBeUndefined()
    expect(client.socket.ended?.code).toBe(code)
    expect(client.take()).toMatchObject([{ event: names.error, data: { code, message: client.socket.ended?.reason } }])
    expect(fixture.node.hub.connections).toBe(0)
    expect(await fixture.backend.budget.connections('3')).toBe(0)
  })

  test.each([['4'], ['5'], ['6'], ['7'], [undefined]])('lets protocol %s in', async (protocol) => {
    const fixture = await NodeFixture.start()
    const client = fixture.connect({ protocol })
    expect(client.connection.protocolVersion).toBe(Number(protocol ?? 7))
  })

  test('a refusal is counted for its app, also when the app has no connection', async () => {
    const fixture = await NodeFixture.start({ apps: [appSettings({ enabled: false })] })
    expect(fixture.connect().socket.ended?.code).toBe(4003)
    expect(fixture.node.hub.apps.get('3')?.counters.disconnections.get('4003')).toBe(1)
  })

  test('with the strict option a missing protocol is refused with 4008', async () => {
    const fixture = await NodeFixture.start({ requireVersion: true })
    expect(fixture.connect({ protocol: undefined }).socket.ended?.code).toBe(4008)
    expect(fixture.connect({ protocol: '7' }).opened).toBeDefined()
  })

  test('says what can never work before what may work later', async () => {
    const fixture = await NodeFixture.start({ apps, capacity: { connections: 0 } })
    const codeOf = (knock: Parameters<NodeFixture['connect']>[0]) => fixture.connect(knock).socket.ended?.code
    expect(codeOf({ appKey: undefined, protocol: '1' })).toBe(4005)
    expect(codeOf({ appKey: 'nope', protocol: '1' })).toBe(4001)
    expect(codeOf({ appKey: 'off', protocol: '1' })).toBe(4003)
    expect(codeOf({ appKey: 'tls', protocol: '1' })).toBe(4000)
    expect(codeOf({ appKey: 'tls', secure: true, protocol: '1' })).toBe(4007)
    expect(codeOf({ appKey: 'tls', secure: true })).toBe(4009)
    expect(codeOf({ appKey: 'tls', secure: true, origin: 'https://a.example' })).toBe(4100)
  })

  test('over the connections of an app: 4004, counted, and free again after a close', async () => {
    const fixture = await NodeFixture.start({ apps })
    const first = fixture.connect({ appKey: 'small' })
    expect(fixture.connect({ appKey: 'small' }).socket.ended?.code).toBe(4004)
    expect(first.connection.local.counters.rateLimited.connections).toBe(1)
    expect(first.connection.local.counters.disconnections.get('4004')).toBe(1)
    expect(fixture.connect().opened).toBeDefined()
    first.close()
    expect(fixture.connect({ appKey: 'small' }).opened).toBeDefined()
  })

  test('a refusal by the app frees what the server had counted', async () => {
    const fixture = await NodeFixture.start({ apps, capacity: { connections: 2, connectionsPerAddress: 2 } })
    fixture.connect({ appKey: 'small' })
    for (let index = 0; index < 5; index += 1) fixture.connect({ appKey: 'small' })
    expect(fixture.connect().opened).toBeDefined()
    expect(fixture.connect().socket.ended?.code).toBe(4100)
  })

  test('counts refusals without an app by code, and the key does not become a label', async () => {
    const fixture = await NodeFixture.start({ apps })
    fixture.connect({ appKey: 'nope' })
    fixture.connect({ appKey: 'nope2' })
    fixture.connect({ appKey: undefined })
    expect([...fixture.node.counters.refusals]).toEqual([
      ['4001', 2],
      ['4005', 1],
    ])
  })

  test('a long key is cut in the answer, and the reason fits a close frame', async () => {
    const fixture = await NodeFixture.start()
    const client = fixture.connect({ appKey: 'ü🎉'.repeat(5000) })
    expect(client.socket.ended?.code).toBe(4001)
    const reason = client.socket.ended?.reason ?? ''
    expect(Buffer.byteLength(reason)).toBeLessThanOrEqual(123)
    expect(reason).toBe(Buffer.from(reason).toString())
    expect(client.socket.frames[0]?.length).toBeLessThan(400)
  })

  test('every key of a rotating app is let in', async () => {
    const rotating = appSettings({
      keys: [
        { key: appKey, secret: appSecret },
        { key: 'new', secret: 's2' },
      ],
    })
    const fixture = await NodeFixture.start({ apps: [rotating] })
    expect(fixture.connect().opened).toBeDefined()
    expect(fixture.connect({ appKey: 'new' }).opened).toBeDefined()
  })
})

describe('capacity marks', () => {
  test('connections: above the mark 4100, and room again after a close', async () => {
    const fixture = await NodeFixture.start({ capacity: { connections: 2 } })
    const first = fixture.connect()
    expect(fixture.node.capacity.reasonFull()).toBeUndefined()
    fixture.connect()
    expect(fixture.node.capacity.reasonFull()).toBe('connections')
    expect(fixture.connect().socket.ended).toEqual({ code: 4100, reason: 'Over capacity' })
    first.close()
    expect(fixture.connect().opened).toBeDefined()
  })

  test('memory: looked at every five seconds; 0 = off', async () => {
    const fixture = await NodeFixture.start()
    fixture.memoryPercent = 90
    await fixture.passSeconds(5)
    expect(fixture.connect().socket.ended?.code).toBe(4100)
    expect(fixture.node.capacity.reasonFull()).toBe('memory')
    fixture.memoryPercent = 89
    await fixture.passSeconds(5)
    expect(fixture.connect().opened).toBeDefined()
    const careless = await NodeFixture.start({ capacity: { memoryPercent: 0 } })
    careless.memoryPercent = 100
    await careless.passSeconds(5)
    expect(careless.connect().opened).toBeDefined()
  })

  test('accepts per second, burst = rate', async () => {
    const fixture = await NodeFixture.start({ capacity: { acceptPerSecond: 5 } })
    const accepted = () =>
      Array.from({ length: 20 }, () => fixture.connect()).filter(({ opened }) => opened !== undefined).length
    expect(accepted()).toBe(5)
    await fixture.passSeconds(1)
    expect(accepted()).toBe(5)
    fixture.clock.advance(400)
    expect(accepted()).toBe(2)
  })

  test('connections per address, forgotten when the last is gone', async () => {
    const fixture = await NodeFixture.start({ capacity: { connectionsPerAddress: 2 } })
    const first = fixture.connect({ address: '__proto__' })
    fixture.connect({ address: '__proto__' })
    expect(fixture.connect({ address: '__proto__' }).socket.ended?.code).toBe(4100)
    expect(fixture.connect({ address: '192.0.2.2' }).opened).toBeDefined()
    expect(fixture.node.capacity.countsAddresses).toBe(true)
    first.close()
    expect(fixture.connect({ address: '__proto__' }).opened).toBeDefined()
    expect(fixture.connect({ address: '__proto__' }).socket.ended?.code).toBe(4100)
  })
})
