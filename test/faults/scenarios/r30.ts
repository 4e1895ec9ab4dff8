import { EventStream } from '../../black-box/event-stream.js'
import { RestClient } from '../../black-box/rest-client.js'
import type { Run } from '../../black-box/run.js'
import type { Scenario } from '../../black-box/scenario.js'
import type { AppCredentials, ServerNode } from '../../black-box/server-node.js'
import { sleep, timeUntil } from '../../black-box/waiting.js'
import { WireClient } from '../../black-box/wire-client.js'

const clientsPerApp = 100
const perSecond = 20
const effectiveMs = 5000

const first = appNamed('first')
const rekeyed = appNamed('rekeyed')
const disabled = appNamed('disabled')
const added = appNamed('added')
const newKey = { key: 'rekeyed-key-2', secret: 'rekeyed-secret-number-two' }
const rekeyedAnew: AppCredentials = { id: rekeyed.id, ...newKey }
const rotating = { id: rekeyed.id, keys: [{ key: rekeyed.key, secret: rekeyed.secret }, newKey] }

export const r30: Scenario = {
  id: 'R30',
  title: `3 apps × ${clientsPerApp} clients; an app is added, disabled, re-keyed in the file; the file breaks`,
  seconds: { fast: 25, normal: 35, long: 35 },
  async run(run) {
    const node = await run.startNode({ apps: [first, rekeyed, disabled] })
    const play = async (app: AppCredentials) => {
      const rest = new RestClient(node.target(app))
      const stream = new EventStream(rest, { channel: 'steady', perSecond })
      const clients = await run.clients(clientsPerApp, node.target(app), async (client) => {
        await client.subscribe(stream.channel)
        stream.read(client)
      })
      stream.start()
      return { rest, stream, clients }
    }
    const [a, b, c] = [await play(first), await play(rekeyed), await play(disabled)]
    await sleep(1000)

    node.writeConfig({ apps: [first, rekeyed, disabled, added] })
    await effective(
      run,
      'added by the file alone, effective after',
      async () => (await knock(node, added)) === 'accepted',
    )

    node.writeConfig({ apps: [first, rotating, disabled, added] })
    node.signal('SIGHUP')
    await effective(
      run,
      'second key added with SIGHUP, effective after',
      async () => (await knock(node, rekeyedAnew)) === 'accepted',
    )
    b.rest.target = node.target(rekeyedAnew)
    node.writeConfig({ apps: [first, rekeyedAnew, disabled, added] })
    await effective(
      run,
      'first key taken away by the file alone after',
      async () => (await knock(node, rekeyed)) === 4001,
    )
    const old = new RestClient(node.target(rekeyed))
    run.equal('trigger with the old key', (await old.trigger(['steady'], 'x', 'x')).status, 401)
    old.close()

    await c.stream.stop()
    node.writeConfig({ apps: [first, rekeyedAnew, { ...disabled, enabled: false }, added] })
    const allClosed = () => c.clients.every((client) => client.closed !== undefined)
    await effective(run, 'disabled by the file alone, all its clients closed after', allClosed)
    run.equal('closed with 4003', c.clients.filter((client) => client.closed?.code === 4003).length, clientsPerApp)
    run.equal('a client that comes to the disabled app', await knock(node, disabled), 4003)

    await breakFile(run, node)
    node.writeConfig({ apps: [first, rekeyedAnew, disabled] })
    node.signal('SIGHUP')
    await effective(run, 'enabled again with SIGHUP after', async () => (await knock(node, disabled)) === 'accepted')
    run.equal('an app taken out of the file', await knock(node, added), 4001)

    await Promise.all([a.stream.stop(), b.stream.stop()])
    for (const [name, { stream, clients }] of [
      ['untouched', a],
      ['re-keyed', b],
      ['disabled, until then', c],
    ] as const) {
      if (stream !== c.stream) run.equal(`${name}: clients dropped`, clients.filter(isClosed).length, 0)
      run.equal(`${name}: events missed, wrong`, `${stream.missed()}, ${stream.wrong()}`, '0, 0')
      run.equal(`${name}: triggers`, stream.answersText(), `${stream.sent} × 200`)
    }
  },
}

/** A broken file, looked at again and again and then asked for, changes nothing and is one error. */
async function breakFile(run: Run, node: ServerNode): Promise<void> {
  const before = node.at('error').length
  node.writeConfigText('{ "apps": [')
  const told = await timeUntil(() => node.at('error').length > before, effectiveMs)
  run.inTime('a broken file is told after', told, effectiveMs)
  await sleep(5000)
  node.signal('SIGHUP')
  await sleep(1000)
  run.equal('errors logged for it', node.at('error').length - before, 1)
  run.equal('the old state then', await knock(node, added), 'accepted')
}

async function effective(run: Run, name: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const took = await timeUntil(condition, effectiveMs + 5000)
  run.reached(name, took, effectiveMs)
}

/** Comes as a client of the app and tells how that went: accepted, or the close code. */
async function knock(node: ServerNode, app: AppCredentials): Promise<number | string> {
  const client = new WireClient(node.target(app))
  await client.connected.catch(() => undefined)
  const how = client.closed?.code ?? 'accepted'
  client.destroy()
  return how
}

function isClosed(client: WireClient): boolean {
  return client.closed !== undefined
}

function appNamed(id: string): AppCredentials {
  return { id, key: `${id}-key`, secret: `${id}-secret-long-enough` }
}
