import type Pusher from 'pusher-js'
import { describe, expect, it } from 'vitest'
import { eventually } from '../../harness/eventually.js'
import type { Account } from '../../harness/auth-endpoint.js'
import { ann, bea, hearErrors, join, sharedApplication, signIn, type Application } from './application.js'
import { Heard } from './heard.js'

interface WatchlistEvent {
  readonly name: string
  readonly user_ids: readonly string[]
}

describe('pusher-js in Node: users', () => {
  const application = sharedApplication()

  it('signs in, and gets what is sent to the user on every page of theirs', async () => {
    const [first, second, other] = await Promise.all([ann, ann, bea].map((who) => signedIn(application(), who)))
    const heard = [first!, second!, other!].map((page) => {
      const each = new Heard<unknown>()
      page.user.bind('invoice', each.add)
      return each
    })
    expect(first!.user.user_data).toEqual({ id: 'ann', user_info: { name: 'Ann' }, watchlist: ['bea', 'cleo'] })
    await application().library.sendToUser('ann', 'invoice', { id: 1 })
    await application().library.sendToUser('bea', 'invoice', { id: 2 })
    expect(await Promise.all(heard.map((each) => each.next()))).toEqual([{ id: 1 }, { id: 1 }, { id: 2 }])
  })

  it('is told who of its watchlist is online, and of every change', async () => {
    const watcher = await application().page(ann)
    const heard = new Heard<WatchlistEvent>()
    for (const name of ['online', 'offline']) watcher.user.watchlist.bind(name, heard.add)
    watcher.signin()
    expect(await heard.next()).toEqual({ name: 'offline', user_ids: ['bea', 'cleo'] })
    const tabs = [await signedIn(application(), bea), await signedIn(application(), bea)]
    expect(await heard.next()).toEqual({ name: 'online', user_ids: ['bea'] })
    for (const tab of tabs) tab.disconnect()
    expect(await heard.next()).toEqual({ name: 'offline', user_ids: ['bea'] })
    expect(heard.all).toHaveLength(3)
  })

  it('loses every connection of a terminated user and no other, and stays away', async () => {
    const [first, second, other] = await Promise.all([ann, ann, bea].map((who) => signedIn(application(), who)))
    const errors = hearErrors(first!)
    await application().library.terminateUserConnections('ann')
    expect(await errors.next()).toMatchObject({ data: { code: 4009 } })
    for (const page of [first!, second!]) {
      await eventually('the end of the connection', () => page.connection.state === 'disconnected')
    }
    const { heard } = await join(other!, 'still-there')
    await application().library.trigger('still-there', 'end', {})
    expect(await heard.next()).toEqual({ event: 'end', data: {} })
  })

  it('is refused the channel of another user', async () => {
    const page = await signedIn(application(), bea)
    const errors = hearErrors(page)
    page.send_event('pusher:subscribe', { channel: '#server-to-user-ann', auth: '' })
    expect(await errors.next()).toMatchObject({ data: { code: null } })
  })

  it('is told of a sign-in that the server refuses, and stays connected', async () => {
    const page = await application().page(ann, {
      userAuthentication: {
        customHandler: (_request, callback) =>
          callback(null, { auth: `${'a'.repeat(20)}:${'0'.repeat(64)}`, user_data: '{"id":"ann"}' }),
      },
    })
    const errors = hearErrors(page)
    page.signin()
    expect(await errors.next()).toMatchObject({ data: { code: 4009 } })
    expect(page.connection.state).toBe('connected')
  })
})

/** A page that is signed in. */
async function signedIn(application: Application, account: Account): Promise<Pusher> {
  const page = await application.page(account)
  await signIn(page)
  return page
}
