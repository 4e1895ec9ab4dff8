/** The checks of Echo's hooks, with components that are mounted and unmounted as in an application, whatever the framework. */
import { backMs, data, digits, givesUp } from './pusher-js.js'
import { checker, Heard, same, sleep, stageAt, until } from './reporting.js'

/**
 * @param input.hooks the library
 * @param input.mounted makes a component: `mounted(hook, afterMount)` calls `hook()` where the framework wants hooks to be called, and
 *   `afterMount(result)` once the component is there. Resolves then, with the result of the hook and `unmount()`.
 * @param input.settings see settings.js
 * @param input.print gets each line of the contract
 */
export async function hookChecks({ hooks, mounted, settings, print }) {
  const check = checker(print)
  const stage = stageAt(settings.stageUrl)
  const given = { hooks, mounted, settings, stage }
  const { configureEcho, echo, useEcho, useEchoPublic } = hooks
  const trigger = (channel, event, sent = data) => stage('/trigger', { channel, event, data: sent })
  configureEcho(options(settings))
  const first = echo()
  const arrive = async (channel, hook, ...values) => {
    const heard = new Heard()
    const component = await mounted(() => hook(heard.add))
    await subscribed(component.channel())
    for (const value of values) {
      await trigger(channel, 'greeting', value)
      same(await heard.next(`the event on ${channel}`), value)
    }
    component.unmount()
  }

  await check('connect', async () => {
    await until('the status connected', () => first.connectionStatus() === 'connected')
    same(/^\d+\.\d+$/.test(first.socketId()), true)
  })
  // A name with a dot in front is taken as it is, without the namespace App\Events.
  await check('public', () => {
    return arrive('clients-public', (heard) => useEchoPublic('clients-public', '.greeting', heard), data, digits)
  })
  await check('private', () => arrive('private-clients', (heard) => useEcho('clients', '.greeting', heard), data))
  await check('presence', () => presence(given))
  await check('encrypted', async () => {
    // The hooks have no encrypted channels; Echo, which they give access to, has.
    const heard = new Heard()
    const channel = echo().encryptedPrivate('clients').listen('.greeting', heard.add)
    await subscribed(channel)
    await trigger('private-encrypted-clients', 'greeting')
    same(await heard.next('the encrypted event'), data)
  })
  await check('client-event', () => whispers(given))
  await check('unsubscribe', async () => {
    const everything = new Heard()
    first.connector.pusher.bind_global(everything.add)
    const left = await mounted(() => useEchoPublic('clients-left', '.gone'))
    await subscribed(left.channel())
    left.unmount()
    await until('that the hook leaves the channel', () => first.connector.channels['clients-left'] === undefined)
    // An answer to what was sent later: the server has taken the unsubscribe.
    const stayed = await mounted(() => useEchoPublic('clients-stayed', '.still-here'))
    await subscribed(stayed.channel())
    await trigger('clients-left', 'gone')
    await trigger('clients-stayed', 'still-here')
    await until('the event on the other channel', () => everything.all.includes('still-here'))
    await sleep(300)
    same(everything.all.includes('gone'), false)
    first.connector.pusher.unbind_global()
    stayed.unmount()
  })
  await check('silence', async () => {
    const { activityTimeoutSeconds } = await stage('/heartbeat')
    const [heard, changes] = [new Heard(), new Heard()]
    const component = await mounted(() => useEcho('clients-silent', '.greeting', heard.add))
    await subscribed(component.channel())
    const stop = first.connector.onConnectionChange(changes.add)
    const socketId = first.socketId()
    await sleep((2 * activityTimeoutSeconds + 2) * 1000)
    await trigger('private-clients-silent', 'greeting')
    same(await heard.next('the event after the silence'), data)
    same([changes.all, first.socketId()], [[], socketId])
    stop()
    component.unmount()
  })
  await check('restart', async () => {
    const heard = new Heard()
    const component = await mounted(() => useEcho('clients-restart', '.greeting', heard.add))
    await subscribed(component.channel())
    const socketId = first.socketId()
    await stage('/restart')
    const again = async () => {
      await trigger('private-clients-restart', 'greeting')
      await sleep(100)
      return heard.all.length > 0
    }
    await until('an event after the restart', again, backMs, 300)
    same(heard.all[0], data)
    same(first.socketId() === socketId, false)
  })
  first.disconnect()
  await check('refused', () => refused(given))
  await check('wrong-key', async () => {
    configureEcho({ ...options(settings), key: '0'.repeat(20) })
    await givesUp(echo().connector.pusher.connection)
  })
}

function options({ host, port, key, authUrl }) {
  return {
    broadcaster: 'reverb',
    key,
    wsHost: host,
    wsPort: port,
    wssPort: port,
    forceTLS: false,
    enabledTransports: ['ws', 'wss'],
    authEndpoint: `${authUrl}?user=ann`,
  }
}

async function subscribed({ name, subscription }) {
  await until(`the subscription to ${name}`, () => subscription.subscribed)
}

async function presence({ hooks, mounted, stage }) {
  const first = await stage('/observe', { channels: ['presence-clients'] })
  const [here, joining, leaving] = [new Heard(), new Heard(), new Heard()]
  const component = await mounted(
    () => hooks.useEchoPresence('clients', '.greeting'),
    ({ channel }) => channel().here(here.add).joining(joining.add).leaving(leaving.add),
  )
  const names = (await here.next('the members')).map(({ name }) => name)
  same(names.sort(), ['ann', first.observer].sort())
  const { observer } = await stage('/observe', { channels: ['presence-clients'] })
  same(await joining.next('who joins'), { name: observer })
  await stage('/leave', { observer })
  same(await leaving.next('who leaves'), { name: observer })
  component.unmount()
}

async function whispers({ hooks, mounted, stage }) {
  const channel = 'private-clients-whispers'
  const { observer } = await stage('/observe', { channels: [channel] })
  const component = await mounted(() => hooks.useEcho('clients-whispers'))
  await subscribed(component.channel())
  component.channel().whisper('hello', data)
  const { events } = await stage('/seen', { observer, channel, event: 'client-hello' })
  same(
    events.map((event) => JSON.parse(event.data)),
    [data],
  )
  const answers = new Heard()
  component.channel().listenForWhisper('answer', answers.add)
  await stage('/whisper', { observer, channel, event: 'client-answer', data })
  same(await answers.next('the whisper of the observer'), data)
  component.unmount()
}

async function refused({ hooks, mounted, settings }) {
  const auth = `${settings.key}:${'0'.repeat(64)}`
  const channelAuthorization = { customHandler: (_request, callback) => callback(null, { auth }) }
  hooks.configureEcho({ ...options(settings), channelAuthorization })
  const errors = new Heard()
  const component = await mounted(
    () => hooks.useEcho('clients-refused', '.greeting'),
    ({ channel }) => channel().error(errors.add),
  )
  const { type, status } = await errors.next('the error of the channel')
  same([type, status, hooks.echo().connectionStatus()], ['AuthError', 401, 'connected'])
  component.unmount()
  hooks.echo().disconnect()
}
