import { describe, expect, it } from 'vitest'
import { ann, bea, join, joinPresence, sharedApplication } from './application.js'

describe('pusher-js in Node: presence', () => {
  const application = sharedApplication()

  it('knows everybody who is there, and itself', async () => {
    const name = 'presence-room'
    await join(await application().page(ann), name)
    const { members, heard } = await joinPresence(await application().page(bea), name)
    expect(members.count).toBe(2)
    expect(members.me).toEqual({ id: 'bea', info: { name: 'Bea' } })
    expect(members.get('ann')).toEqual({ id: 'ann', info: { name: 'Ann' } })
    expect(heard.all).toHaveLength(1)
  })

  it('tells of a user with several tabs once: when the first comes and when the last goes', async () => {
    const name = 'presence-tabs'
    const { members, heard } = await joinPresence(await application().page(bea), name)
    const tabs = await Promise.all([1, 2, 3].map(() => application().page(ann)))
    for (const tab of tabs) {
      const { members: own } = await joinPresence(tab, name)
      expect(own.count).toBe(2)
    }
    tabs[0]!.disconnect()
    tabs[1]!.unsubscribe(name)
    await join(tabs[1]!, 'after-it')
    const users = await application().library.get({ path: `/channels/${name}/users` })
    expect(await users.json()).toEqual({ users: [{ id: 'bea' }, { id: 'ann' }] })
    tabs[2]!.disconnect()
    const member = { id: 'ann', info: { name: 'Ann' } }
    expect(await heard.take(2)).toEqual([
      { event: 'pusher:member_added', data: member },
      { event: 'pusher:member_removed', data: member },
    ])
    expect(members.count).toBe(1)
    await application().library.trigger(name, 'end', {})
    expect(await heard.next()).toEqual({ event: 'end', data: {} })
  })

  it('needs no channel_data from a page that is signed in', async () => {
    const name = 'presence-signed-in'
    const page = await application().page(ann, {
      channelAuthorization: {
        customHandler: ({ socketId, channelName }, callback) =>
          callback(null, application().library.authorizeChannel(socketId, channelName)),
      },
    })
    page.signin()
    const { members, heard } = await joinPresence(page, name)
    expect(members.me).toEqual({ id: 'ann', info: { name: 'Ann' } })
    expect(members.count).toBe(1)
    expect(heard.all).toHaveLength(1)
  })
})
