/**
 * Where secrets must not be: everything a run leaves in Redis, says on its bus, logs at debug level, exports as metrics, and answers
 * to what is wrong, is searched for every secret of that run. One process with Redis, started as an operator starts it.
 */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { eventually } from '../harness/eventually.js'
import { Program } from '../harness/program.js'
import { channelAuth, RawClient, userAuth, type Credentials } from '../harness/raw-client.js'
import { RedisServer } from '../harness/redis-server.js'
import { rest, signedQuery } from '../harness/rest.js'
import { WebhookReceiver } from '../harness/webhook-receiver.js'
import { describeWith } from '../requirements.js'

/** Long enough that it stands nowhere by chance. */
const random = (name: string) => `${name}-${randomBytes(12).toString('hex')}`

const secrets = {
  'the secret of the old key': random('old'),
  'the secret of the new key': random('new'),
  'the secret after the re-keying': random('later'),
  'the user of a webhook address': random('user'),
  'the password of a webhook address': random('password'),
  'the query of a webhook address': random('query'),
  'a header of a webhook': random('bearer'),
  'the password of Redis': random('redis'),
  'the passphrase of the key': random('phrase'),
  'a secret in a broken file': random('broken'),
}
type SecretName = keyof typeof secrets

const oldKey: Credentials = { key: 'old-key', secret: secrets['the secret of the old key'] }
const newKey: Credentials = { key: 'new-key', secret: secrets['the secret of the new key'] }
/** What clients and backends sent: must be neither in logs nor in metrics. Made while the run goes on. */
const passing = new Map<string, string>([
  ['the payload of an event', random('payload')],
  ['the data of a member', random('member')],
])
/** Everything that was answered. */
const answers: string[] = []

describeWith(['redis'], 'the secrets of a run', () => {
  let directory: string
  let redis: RedisServer
  let receiver: WebhookReceiver
  let program: Program
  let said = ''
  let held = ''
  const bus: string[] = []

  const file = (secret: string) => ({
    host: '127.0.0.1',
    port: 0,
    metrics: { port: 0, soketiNames: true },
    log: { level: 'debug', format: 'json' },
    redis: { url: redis.url },
    drain: { preStopDelayMs: 0, periodMs: 0 },
    apps: [
      {
        id: '1',
        keys: [oldKey, { key: newKey.key, secret }],
        subscriptionCount: { enabled: true },
        webhooks: [hook(receiver.port), hook(1), { ...hook(receiver.port), allowPrivateNetwork: false }],
      },
      { id: '2', key: 'disabled-key', secret: secrets['the secret of the old key'], enabled: false },
    ],
  })
  const target = () => ({ url: `http://127.0.0.1:${program.port}`, appId: '1', ...newKey })
  const socketUrl = (key: string) => `ws://127.0.0.1:${program.port}/app/${key}?protocol=7`

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'belfry-secrets-'))
    redis = await RedisServer.start({ password: secrets['the password of Redis'] })
    receiver = await WebhookReceiver.start([{ id: '1', keys: [oldKey, newKey] }])
    receiver.answer(500)
    writeFileSync(join(directory, 'belfry.json'), JSON.stringify(file(newKey.secret)))
    program = await Program.serve(['start'], { directory })
    const listener = redis.client()
    listener.on('pmessage', (_pattern: string, channel: string, message: string) => bus.push(channel, message))
    await listener.psubscribe('*')

    await rightThings()
    await wrongRequests()
    await wrongFrames()
    await wrongConfigurations()
    await brokenRedis()
    said = await metrics()
    held = await contentsOf(redis)
    listener.disconnect()
  })
  afterAll(async () => {
    await program?.stop()
    await receiver?.close()
    await redis?.close()
    rmSync(directory, { recursive: true, force: true })
  })

  /** What a healthy application does; it leaves members, counts, a cached event, transitions and a signed-in user in Redis. */
  async function rightThings(): Promise<void> {
    const client = await RawClient.connect(socketUrl(oldKey.key))
    const member = JSON.stringify({ user_id: 'ann', user_info: passing.get('the data of a member') })
    passing.set('the auth of a channel', digestOf(channelAuth(oldKey, client.socketId, 'presence-room', member)))
    await client.subscribePresence('presence-room', oldKey, 'ann', passing.get('the data of a member'))
    await client.subscribePrivate('private-room', oldKey)
    const user = JSON.stringify({ id: 'ann' })
    passing.set('the auth of a user', digestOf(userAuth(oldKey, client.socketId, user)))
    client.signIn(oldKey, user)
    await eventually('the sign-in', () => client.frames.some(({ event }) => event === 'pusher:signin_success'))
    client.send({ event: 'client-typing', channel: 'private-room', data: passing.get('the payload of an event') })
    const body = JSON.stringify({ name: 'e', channel: 'cache-room', data: passing.get('the payload of an event') })
    const query = signedQuery(newKey, 'POST', '/apps/1/events', body)
    passing.set('the signature of a request', /auth_signature=(\w+)/.exec(query)?.[1] ?? '')
    const response = await fetch(`${target().url}/apps/1/events?${query}`, { method: 'POST', body })
    expect(response.status).toBe(200)
    await eventually('a webhook has failed', () => program.printed.includes('"url":"http://127.0.0.1:1/'), 10_000)
    await eventually('a webhook was tried', () => receiver.figures.requests > 0)
  }

  async function wrongRequests(): Promise<void> {
    const wrong = { ...target(), secret: 'wrong' }
    for (const asked of [
      rest(wrong, 'POST', 'events', { body: { name: 'e', channel: 'c', data: 'x' } }),
      rest({ ...target(), key: 'nobodys' }, 'GET', 'channels'),
      rest({ ...target(), appId: '9' }, 'GET', 'channels'),
      rest({ ...target(), appId: '2', key: 'disabled-key', secret: oldKey.secret }, 'GET', 'channels'),
      rest(target(), 'GET', 'channels', { timestampS: 1 }),
      rest(target(), 'POST', 'events', { body: '{' }),
      rest(target(), 'POST', 'events', { body: { name: 'e', channel: 'no such channel', data: 'x' } }),
      rest(target(), 'GET', 'nothing/here'),
    ]) {
      const answer = await asked
      expect(answer.status).toBeGreaterThanOrEqual(400)
      answers.push(answer.text)
    }
  }

  async function wrongFrames(): Promise<void> {
    const client = await RawClient.connect(socketUrl(newKey.key))
    const subscribe = (data: unknown) => client.send({ event: 'pusher:subscribe', data })
    subscribe({ channel: 'private-a' })
    subscribe({ channel: 'private-a', auth: `${newKey.key}:0000` })
    subscribe({ channel: 'private-a', auth: 'nobodys:0000' })
    subscribe({
      channel: 'presence-a',
      auth: channelAuth(newKey, client.socketId, 'presence-a', '7'),
      channel_data: '7',
    })
    client.signIn({ ...newKey, secret: 'wrong' }, { id: 'eve' })
    await eventually('the answers', () => client.frames.length > 5)
    answers.push(...client.frames.map(({ text }) => text))
    for (const url of [socketUrl('nobodys'), socketUrl('disabled-key'), `ws://127.0.0.1:${program.port}/elsewhere`]) {
      const refused = new RawClient(url)
      await refused.waitForClose()
      answers.push(...refused.frames.map(({ text }) => text), refused.closed?.reason ?? '')
    }
  }

  async function wrongConfigurations(): Promise<void> {
    const broken = secrets['a secret in a broken file']
    const texts = [
      `{"apps":[{"id":"1","key":"k","secret":"${broken}"`,
      `apps: [{ id: 1, key: k, secret: "${broken}", webhooks: [{ url: "https://u:${broken}@", headers: { Host: "${broken}" } }] }]`,
      `apps: [{ id: 1, key: k, secret: ["${broken}"] }]\nredis: { url: "http://:${broken}@r" }\ntls: { passphrase: "${broken}" }`,
    ]
    for (const [index, text] of texts.entries()) {
      writeFileSync(join(directory, `broken-${index}.yaml`), text)
      const call = await Program.run(['check', '--config', `broken-${index}.yaml`], { directory })
      expect(call.exitCode).toBe(1)
      answers.push(call.printed)
    }
    for (const argv of [['check'], ['doctor'], ['doctor', '--json']]) {
      const call = await Program.run(argv, { directory })
      expect(call.printed.length).toBeGreaterThan(100)
      answers.push(call.printed)
    }
    // The running server meets a broken file, and then one with another secret.
    writeFileSync(join(directory, 'belfry.json'), texts[0] ?? '')
    program.signal('SIGHUP')
    await eventually('the broken file was read', () => /neither YAML nor JSON/.test(program.printed))
    writeFileSync(join(directory, 'belfry.json'), JSON.stringify(file(secrets['the secret after the re-keying'])))
    program.signal('SIGHUP')
    await eventually('the file was read', () => /configuration read/.test(program.printed))
  }

  /** Redis drops everybody and then wants another password for a while. */
  async function brokenRedis(): Promise<void> {
    await redis.command('CONFIG', 'SET', 'requirepass', random('other'))
    for (const type of ['normal', 'pubsub']) await redis.command('CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes')
    await eventually('the password was refused', () => /WRONGPASS|password/i.test(program.printed), 10_000)
    await redis.command('CONFIG', 'SET', 'requirepass', secrets['the password of Redis'])
    await eventually('the bus is back', async () => (await fetch(`${target().url}/ready`)).status === 200, 20_000)
  }

  async function metrics(): Promise<string> {
    const address = `http://127.0.0.1:${program.metricsPort}`
    const pages = ['/metrics', '/metrics?json=1', '/usage', '/ready'].map(async (path) =>
      (await fetch(`${address}${path}`)).text(),
    )
    return (await Promise.all(pages)).join('\n')
  }

  it('left enough to search', () => {
    expect(held).toContain('presence-room')
    expect(held).toContain(passing.get('the payload of an event'))
    expect(bus.join('\n')).toContain('cache-room')
    expect(said).toContain('belfry_auth_failures_total')
    expect(program.printed.split('\n').length).toBeGreaterThan(10)
    expect(answers.length).toBeGreaterThan(20)
    expect([...passing.values()].every((value) => value.length > 20)).toBe(true)
  })

  it.each(Object.keys(secrets) as SecretName[])('%s is nowhere', (name) => {
    expect(placesOf(secrets[name])).toEqual([])
  })

  it('neither is what clients sent, in logs and metrics', () => {
    for (const [name, value] of passing) {
      const places = placesOf(value).filter((place) => place === 'logs' || place === 'metrics')
      expect(places, name).toEqual([])
    }
  })

  it('TLS tells nobody its passphrase, whether it is right or wrong', async () => {
    const phrase = secrets['the passphrase of the key']
    const kind =
      '-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -days 2 -keyout tls.key -out tls.crt -subj /CN=localhost'
    execFileSync('openssl', ['req', '-x509', ...kind.split(' '), '-passout', `pass:${phrase}`], {
      cwd: directory,
      stdio: 'ignore',
    })
    const tls = { certFile: 'tls.crt', keyFile: 'tls.key' }
    const whole = { ...file(newKey.secret), redis: undefined }
    writeFileSync(join(directory, 'right.json'), JSON.stringify({ ...whole, tls: { ...tls, passphrase: phrase } }))
    writeFileSync(
      join(directory, 'wrong.json'),
      JSON.stringify({ ...whole, tls: { ...tls, passphrase: `${phrase}-not` } }),
    )
    const right = await Program.serve(['start', '--config', 'right.json'], { directory })
    const options = { rejectUnauthorized: false }
    await RawClient.connect(`wss://127.0.0.1:${right.port}/app/${newKey.key}?protocol=7`, options)
    await right.stop('SIGTERM')
    const wrong = await Program.run(['start', '--config', 'wrong.json'], { directory })
    expect([right.exitCode, wrong.exitCode]).toEqual([0, 1])
    expect(wrong.printed).toContain('TLS')
    const doctor = await Program.run(['doctor', '--config', 'wrong.json'], { directory })
    for (const { printed } of [right, wrong, doctor]) expect(printed).not.toContain(phrase)
  })

  /** Where a value stands, in any of the forms it is written in. */
  function placesOf(value: string): string[] {
    const forms = [value, encodeURIComponent(value), Buffer.from(value).toString('base64').slice(0, -4)]
    const places = {
      Redis: held,
      'the bus': bus.join('\n'),
      logs: program.printed,
      metrics: said,
      answers: answers.join('\n'),
    }
    return Object.entries(places).flatMap(([place, text]) => (forms.some((form) => text.includes(form)) ? [place] : []))
  }
})

/** A webhook whose address and headers hold secrets. */
function hook(port: number) {
  const [user, password, query, header] = [
    secrets['the user of a webhook address'],
    secrets['the password of a webhook address'],
    secrets['the query of a webhook address'],
    secrets['a header of a webhook'],
  ]
  return {
    url: `http://${user}:${password}@127.0.0.1:${port}/hook?token=${query}`,
    headers: { 'X-Token': header, Accept: `text/${header}` },
    allowPrivateNetwork: true,
    leaveDelayMs: 0,
  }
}

function digestOf(auth: string): string {
  return auth.slice(auth.indexOf(':') + 1)
}

/** Every key with everything under it, read by its type: a DUMP is compressed and would hide a text. */
async function contentsOf(redis: RedisServer): Promise<string> {
  const readers: Readonly<Record<string, readonly (string | number)[]>> = {
    string: ['GET'],
    hash: ['HGETALL'],
    set: ['SMEMBERS'],
    zset: ['ZRANGE', 0, -1, 'WITHSCORES'],
    list: ['LRANGE', 0, -1],
    stream: ['XRANGE', '-', '+'],
  }
  const texts: string[] = []
  let cursor = '0'
  do {
    const [next, keys] = (await redis.command('SCAN', cursor, 'COUNT', 1000)) as [string, string[]]
    cursor = next
    for (const key of keys) {
      const type = String(await redis.command('TYPE', key))
      const [command, ...rest] = readers[type] ?? []
      if (command === undefined) throw new Error(`${key} is a ${type}, which this test cannot read`)
      texts.push(key, JSON.stringify(await redis.command(String(command), key, ...rest)))
    }
  } while (cursor !== '0')
  return texts.join('\n')
}
