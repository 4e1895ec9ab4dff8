import { beforeEach, describe, expect, test } from 'vitest'
import type { AppSettings } from '../../../src/core/ports/app.js'
import { appKey, appSecret, appSettings } from '../../fakes/app-settings.js'
import { NodeFixture, names, nothingLeft, settle, type Client } from './node-fixture.js'

const one = appSettings()
const two = appSettings({ id: '4', keys: [{ key: 'k4', secret: appSecret }] })

/** An app added, disabled, changed, removed while clients are connected (R30). */
describe('a change of apps', () => {
  let fixture: NodeFixture
  let client: Client
  let other: Client
  beforeEach(async () => {
    fixture = await NodeFixture.start({ apps: [one, two] })
    client = await fixture.subscribed('news')
    other = fixture.connect({ appKey: 'k4' })
    other.subscribe('news')
    await settle()
    other.take()
  })

  const change = (...settings: AppSettings[]) => fixture.registry.replace(settings)

  async function expectOtherUnharmed(): Promise<void> {
    expect(other.socket.open).toBe(true)
    await fixture.publish('news', 'x', undefined, '4')
    expect(other.takeTexts()).toEqual(['e x'])
  }

  test.each([
    ['disabled', [{ ...one, enabled: false }, two]],
    ['removed', [two]],
  ])('%s: its clients are closed with 4003, the others lose nothing', async (how, settings) => {
    client.joinPresence('presence-a', 'ann')
    client.signIn('ann', ['bob'])
    const joining = fixture.connect()
    fixture.backend.hold('presence.join')
    joining.joinPresence('presence-b', 'bob')
    await settle()
    change(...settings)
    fixture.backend.release('presence.join')
    await settle()
    expect([client, joining].map(({ socket }) => socket.ended)).toEqual([
      { code: 4003, reason: 'Application disabled' },
      { code: 4003, reason: 'Application disabled' },
    ])
    expect(fixture.leftovers()).toMatchObject({
      ...nothingLeft,
      connections: 1,
      topics: ['4/news'],
      native: ['4/news'],
    })
    expect(await fixture.backend.presence.count('3/presence-b')).toBe(0)
    expect(fixture.node.hub.apps.has('3')).toBe(how === 'disabled')
    expect(fixture.connect().socket.ended?.code).toBe(how === 'disabled' ? 4003 : 4001)
    await expectOtherUnharmed()
  })

  test('enabled again, or added again: clients may come back', async () => {
    change({ ...one, enabled: false }, two)
    change(two)
    change(one, two)
    const back = await fixture.subscribed('news')
    await fixture.publish('news', 'x')
    expect(back.takeTexts()).toEqual(['e x'])
    await expectOtherUnharmed()
  })

  test('rekeyed: connections stay, new signatures count, old ones no longer', async () => {
    change({ ...one, keys: [{ key: 'k-new', secret: 'new' }] }, two)
    expect(client.socket.open).toBe(true)
    client.take()
    client.subscribe('private-a')
    await settle()
    expect(client.takeNames()).toEqual([names.refused, names.error])
    expect(fixture.connect({ appKey }).socket.ended?.code).toBe(4001)
    expect(fixture.connect({ appKey: 'k-new' }).opened).toBeDefined()
    await fixture.publish('news', 'x')
    expect(client.takeTexts()).toEqual(['e x'])
  })

  test('new limits count at once for connections that are open', async () => {
    change(appSettings({}, { subscriptionsPerConnection: 1 }), two)
    client.subscribe('second')
    await settle()
    expect(client.takeNames()).toEqual([names.refused, names.error])
  })

  test('is no longer heard after the node has stopped', async () => {
    await fixture.stop()
    change(two)
    expect(client.socket.open).toBe(true)
  })
})
