import Pusher from 'pusher'
import { describe, expect, it } from 'vitest'
import { HmacKey } from '../../../src/protocol/signature.js'
import { appKey as key, appSecret as secret } from '../../fakes/app-settings.js'
import { makeApp, RestFixture, sign, signedQuery, vectorTimestamp } from './rest-fixture.js'

const auth = `auth_key=${key}&auth_timestamp=${vectorTimestamp}&auth_version=1.0`
const eventBody = '{"name":"foo","channels":["project-3"],"data":"{\\"some\\":\\"data\\"}"}'
const batchBody = '{"batch":[{"channel":"a","name":"e","data":"1"},{"channel":"b","name":"e","data":"2"}]}'

/** The vectors of 4.1: method, path, further parameters, signature, body. */
const vectors: readonly [string, string, string, string, string][] = [
  [
    'POST',
    '/apps/3/events',
    'body_md5=ec365a775a4cd0599faeb73354201b6f',
    'da454824c97ba181a32ccc17a72625ba02771f50b50e1e7430e47a1f3f457e6c',
    eventBody,
  ],
  [
    'POST',
    '/apps/3/batch_events',
    'body_md5=571b80876340594e69d66d24df54edb4',
    '0d56730a4475fa6ab2f5fb2b40fe4e5236c02da5b84629c90bd39a8d777c305b',
    batchBody,
  ],
  [
    'POST',
    '/apps/3/users/12345/terminate_connections',
    'body_md5=99914b932bd37a50b983c5e7c90ae93b',
    '01fa634edeb0cae84115307cad5c23f65a46cd286461b1c89637a3b5871a8f0e',
    '{}',
  ],
  [
    'GET',
    '/apps/3/channels',
    'filter_by_prefix=presence-&info=user_count,subscription_count',
    'ff97d40ab3fbbd15394386a29c12998c33635305357b2e2abd18dc67efe3f87d',
    '',
  ],
  [
    'GET',
    '/apps/3/channels',
    'body_md5=d41d8cd98f00b204e9800998ecf8427e',
    '5c3cd75022c4f62c35ad22f6a9cce366c860477a3b7092ca790ecfc17e6af302',
    '',
  ],
  [
    'GET',
    '/apps/3/channels/presence-a=b@c,d.e;f',
    'info=user_count',
    'b32cc3bac063dc8f0a31f4ee35c510da9b7fdf195452d07051d42c6970b34f81',
    '',
  ],
  [
    'POST',
    '/apps/3/events',
    'name=foo&channels[]=a&channels[]=b&data=x y',
    'bd3a8a7c5e9fcd5663ab063d780fd6c9f2d5763ea0590086be23cc93c35baa35',
    '',
  ],
]

/** Percent-encodes names and values as PHP, Ruby and Java do. */
function encoded(query: string): string {
  return query
    .split('&')
    .map((pair) => pair.split('=').map(encodeURIComponent).join('='))
    .join('&')
}

describe('vectors of 4.1', () => {
  describe.each(vectors)('%s %s?%s', (method, path, extra, signature, body) => {
    it.each([
      ['as listed', `${auth}&${extra}&auth_signature=${signature}`],
      ['.NET: signature first, the rest in any order', `auth_signature=${signature}&${extra}&${auth}`],
      ['percent-encoded', encoded(`${auth}&${extra}&auth_signature=${signature}`)],
      ['form-encoded: a plus for a space', `${auth}&${extra}&auth_signature=${signature}`.replaceAll(' ', '+')],
      ['names in capitals', `${auth}&${extra}&auth_signature=${signature}`.replace('auth_key', 'AUTH_KEY')],
      ['with empty pieces', `&${auth}&&${extra}&auth_signature=${signature}&`],
    ])('%s', async (_, query) => {
      expect(await new RestFixture().send(method, path, query, body)).toMatchObject({ status: 200 })
    })

    it.each([
      [
        'another signature',
        `${auth}&${extra}&auth_signature=${signature.replace(/.$/, (last) => (last === '0' ? '1' : '0'))}`,
      ],
      ['another parameter', `${auth}&${extra}&x=1&auth_signature=${signature}`],
      ['no signature', `${auth}&${extra}`],
      ['a signature in capitals', `${auth}&${extra}&auth_signature=${signature.toUpperCase()}`],
    ])('refused with %s', async (_, query) => {
      const reply = await new RestFixture().send(method, path, query, body)
      expect(reply.status).toBe(401)
      expect(reply.body).toMatch(/^Invalid signature: you should have sent HmacSHA256Hex\("/)
    })
  })

  it('are refused on another path', async () => {
    const [[, , extra, signature, body] = ['', '', '', '', '']] = vectors
    const reply = await new RestFixture().send(
      'POST',
      '/apps/3/batch_events',
      `${auth}&${extra}&auth_signature=${signature}`,
      body,
    )
    expect(reply.status).toBe(401)
  })
})

describe('what is signed', () => {
  it('trap 7: the path as received, or percent-decoded', async () => {
    const plain = '/apps/3/channels/presence-a=b@c,d.e;f'
    const onTheWire = '/apps/3/channels/presence-a%3Db%40c%2Cd.e%3Bf'
    const fixture = new RestFixture()
    expect((await fixture.send('GET', onTheWire, signedQuery('GET', plain, {}))).status).toBe(200)
    expect((await fixture.send('GET', onTheWire, signedQuery('GET', onTheWire, {}))).status).toBe(200)
  })

  it('trap 7: names are lower-cased, values are signed unescaped', async () => {
    const text = `GET\n/apps/3/channels\n${auth}&filter_by_prefix=a/b c&info=subscription_count`
    const query = `${auth}&Filter_By_Prefix=a%2Fb%20c&INFO=subscription_count&auth_signature=${sign(text)}`
    expect((await new RestFixture().send('GET', '/apps/3/channels', query)).status).toBe(200)
  })

  it('values undecoded, when that is what the library signed: then the handler sees them undecoded', async () => {
    const fixture = new RestFixture()
    const query = signedQuery('POST', '/apps/3/events', { name: 'n', channel: 'c', data: '1+1=100%25' })
    expect((await fixture.send('POST', '/apps/3/events', query)).body).toBe('{}')
    expect(fixture.core.published[0]?.[0]?.data).toBe('1+1=100%25')
  })

  it('values decoded, when that was signed: then the handler sees them decoded', async () => {
    const fixture = new RestFixture()
    const text = `POST\n/apps/3/events\n${auth}&channel=c&data=a b=ü&name=n`
    const query = `${auth}&name=n&channel=c&data=a+b%3D%C3%BC&auth_signature=${sign(text)}`
    expect((await fixture.send('POST', '/apps/3/events', query)).body).toBe('{}')
    expect(fixture.core.published[0]?.[0]?.data).toBe('a b=ü')
  })

  it('the keys of an app all sign, a key of another app does not', async () => {
    const first = makeApp({
      signers: new Map([
        [key, new HmacKey('old')],
        ['new-key', new HmacKey(secret)],
      ]),
    })
    const second = makeApp({ id: '4', signers: new Map([['other', new HmacKey(secret)]]) })
    const fixture = new RestFixture(first, second)
    const withKey = (name: string) => fixture.get('/apps/3/channels', { auth_key: name })
    expect((await withKey('new-key')).status).toBe(200)
    expect((await withKey(key)).status).toBe(401)
    expect(await withKey('other')).toMatchObject({ status: 401, body: 'Unknown auth_key\n' })
  })
})

describe('quirks of the libraries (section 8)', () => {
  it('node: its own signing, with raw values and numbers', async () => {
    const fixture = new RestFixture()
    fixture.nowMs = Date.now()
    const library = new Pusher({ appId: '3', key, secret, host: 'localhost' })
    const request = {
      method: 'GET',
      path: '/apps/3/channels',
      params: { filter_by_prefix: 'a/b', info: 'subscription_count' },
    }
    const query = library.createSignedQueryString(request)
    expect((await fixture.send('GET', '/apps/3/channels', query)).status).toBe(200)
    const post = library.createSignedQueryString({
      method: 'POST',
      path: '/apps/3/events',
      body: eventBody,
      params: {},
    })
    expect((await fixture.send('POST', '/apps/3/events', post, eventBody)).body).toBe('{}')
  })

  it('trap 6: python sends body_md5 of nothing on a GET', async () => {
    const params = { body_md5: 'd41d8cd98f00b204e9800998ecf8427e' }
    expect((await new RestFixture().get('/apps/3/channels/a', params)).status).toBe(200)
  })

  it('python forgets the app when it terminates: the key tells it', async () => {
    const fixture = new RestFixture()
    expect(await fixture.post('/users/u1/terminate_connections', '{}')).toMatchObject({ status: 200, body: '{}' })
    expect(fixture.core.terminated).toEqual(['u1'])
    const unknown = await fixture.signed('POST', '/users/u1/terminate_connections', { auth_key: 'x' })
    expect(unknown).toMatchObject({ status: 401, body: 'Unknown auth_key\n' })
  })

  it('go: the raw query on the wire, unescaped', async () => {
    const query = signedQuery('GET', '/apps/3/channels', {
      filter_by_prefix: 'presence-',
      info: 'user_count,subscription_count',
    })
    expect((await new RestFixture().send('GET', '/apps/3/channels', query)).status).toBe(200)
  })

  it('php: values encoded by Guzzle, info joined by commas', async () => {
    const query = encoded(
      signedQuery('GET', '/apps/3/channels', { filter_by_prefix: 'presence-', info: 'user_count,subscription_count' }),
    )
    expect(query).toContain('%2C')
    expect((await new RestFixture().send('GET', '/apps/3/channels', query)).status).toBe(200)
  })

  it('java: any order, percent-encoded; .net: signature first', async () => {
    const pairs = signedQuery('GET', '/apps/3/channels', { filter_by_prefix: 'a,b', info: 'subscription_count' }).split(
      '&',
    )
    const fixture = new RestFixture()
    for (let turn = 0; turn < pairs.length; turn += 1) {
      pairs.push(pairs.shift() ?? '')
      expect((await fixture.send('GET', '/apps/3/channels', encoded(pairs.join('&')))).status).toBe(200)
      expect((await fixture.send('GET', '/apps/3/channels', pairs.join('&'))).status).toBe(200)
    }
  })

  it('swift: null for the unused of channel and channels', async () => {
    const fixture = new RestFixture()
    await fixture.post('/apps/3/events', {
      name: 'n',
      data: 'd',
      channel: 'a',
      channels: null,
      socket_id: null,
      info: null,
    })
    await fixture.post('/apps/3/events', { name: 'n', data: 'd', channel: null, channels: ['b'] })
    expect(fixture.core.published.map((triggers) => triggers[0]?.channels)).toEqual([['a'], ['b']])
  })
})

describe('refusals in the order of 4.1', () => {
  const path = '/apps/3/channels'
  const good = { auth_timestamp: String(vectorTimestamp), auth_version: '1.0' }

  it.each([
    ['no query', '', 'Missing parameter: auth_key\n'],
    ['an empty auth_key', 'auth_key=', 'Missing parameter: auth_key\n'],
    ['an unknown auth_key', 'auth_key=x', 'Unknown auth_key\n'],
    ['the auth_key __proto__', 'auth_key=__proto__', 'Unknown auth_key\n'],
    ['no auth_version', `auth_key=${key}`, 'Version required\n'],
    ['another auth_version', `auth_key=${key}&auth_version=1.1`, 'Version not supported\n'],
    ['no auth_timestamp', `auth_key=${key}&auth_version=1.0`, 'Timestamp required\n'],
    [
      'no auth_signature',
      auth,
      `Invalid signature: you should have sent HmacSHA256Hex("GET\\n/apps/3/channels\\n${auth}", your_secret_key), but you sent ""\n`,
    ],
    [
      'a wrong one',
      `auth_signature=ab"c&${auth}`,
      `Invalid signature: you should have sent HmacSHA256Hex("GET\\n/apps/3/channels\\n${auth}", your_secret_key), but you sent "ab\\"c"\n`,
    ],
  ])('%s', async (_, query, text) => {
    const fixture = new RestFixture()
    expect(await fixture.send('GET', path, query)).toEqual({
      status: 401,
      body: text,
      contentType: 'text/plain; charset=utf-8',
    })
    expect(fixture.counting.auth).toEqual(['3'])
  })

  it('an unknown app is 404 and counted for nobody', async () => {
    const fixture = new RestFixture()
    const reply = await fixture.get('/apps/__proto__/channels')
    expect(reply.status).toBe(404)
    expect(reply.body).toMatch(/^Unknown app "__proto__"\..*\n$/)
    expect(fixture.counting.auth).toEqual([])
  })

  it('a disabled app is 403, but only for who holds a secret of it', async () => {
    const fixture = new RestFixture(makeApp({ enabled: false }))
    expect(await fixture.get(path)).toMatchObject({ status: 403, body: 'Application disabled\n' })
    expect(fixture.counting.auth).toEqual([])
    expect((await fixture.send('GET', path, auth)).status).toBe(401)
  })

  it.each(['auth_key', 'AUTH_KEY', 'auth_version', 'auth_signature', 'info', 'x', '__proto__', '%61uth_key'])(
    'the parameter %s twice',
    async (name) => {
      const query = signedQuery('GET', path, { info: 'subscription_count', x: '1', ['__proto__']: '1' })
      const twice = `${query}&__proto__=1&${name}=1`
      const reply = await new RestFixture().send('GET', path, twice)
      expect(reply.status).toBe(401)
      expect(reply.body).toMatch(/^Duplicate query parameter: "/)
    },
  )

  it('names ending in [] may repeat', async () => {
    const text = `GET\n${path}\n${auth}&x[]=2&x[]=1`
    expect((await new RestFixture().send('GET', path, `${auth}&x[]=2&x[]=1&auth_signature=${sign(text)}`)).status).toBe(
      200,
    )
    expect((await new RestFixture().send('GET', path, `${auth}&x[]=1&x[]=2&auth_signature=${sign(text)}`)).status).toBe(
      401,
    )
  })

  it('trap 18: a timestamp 600 s away or more is refused, with both times', async () => {
    const fixture = new RestFixture()
    fixture.nowMs = Date.UTC(2013, 8, 29, 8, 36, 32)
    const at = (seconds: number) =>
      fixture.get(path, { ...good, auth_timestamp: String(fixture.nowMs / 1000 + seconds) })
    expect(await at(721)).toMatchObject({
      status: 401,
      body: 'Timestamp expired: Given timestamp (2013-09-29T08:48:33Z) not within 600s of server time (2013-09-29T08:36:32Z)\n',
    })
    expect((await at(600)).status).toBe(401)
    expect((await at(-600)).status).toBe(401)
    expect((await at(599)).status).toBe(200)
    expect((await at(-599)).status).toBe(200)
  })

  it('R27: nine minutes behind is accepted, eleven refused', async () => {
    const fixture = new RestFixture()
    const behind = (minutes: number) => fixture.get(path, { auth_timestamp: String(vectorTimestamp - minutes * 60) })
    expect((await behind(9)).status).toBe(200)
    expect((await behind(11)).status).toBe(401)
  })

  it.each([
    '1',
    'now',
    '-1353088179',
    '1353088179.0',
    '0x50a67f33',
    '1e9',
    ' 1353088179',
    '9'.repeat(20),
    '9'.repeat(400),
    '%zz',
  ])('trap 18: the timestamp %j is refused, though signed', async (timestamp) => {
    const reply = await new RestFixture().get(path, { auth_timestamp: timestamp })
    expect(reply.status).toBe(401)
    expect(reply.body).toMatch(
      /^Timestamp expired: Given timestamp \(.*\) not within 600s of server time \(2012-11-16T17:49:39Z\)\n$/,
    )
  })

  it('a broken percent-encoding is no fault: it is compared as it stands', async () => {
    const fixture = new RestFixture()
    expect((await fixture.get(path, { filter_by_prefix: '%zz%' })).status).toBe(200)
    expect((await fixture.send('GET', path, `${auth}&x=%ff%fe&auth_signature=%`)).status).toBe(401)
    expect((await fixture.send('GET', '/apps/3/channels/%zz', auth)).status).toBe(401)
    expect((await fixture.send('GET', '/apps/%E0%A4%A/channels', auth)).status).toBe(404)
  })
})

describe('body_md5', () => {
  it('wrong: 401 without the right digest', async () => {
    const fixture = new RestFixture()
    const wrong = '99914b932bd37a50b983c5e7c90ae93b'
    const query = signedQuery('POST', '/apps/3/events', { body_md5: wrong })
    const reply = await fixture.send('POST', '/apps/3/events', query, eventBody)
    expect(reply).toMatchObject({ status: 401, contentType: 'text/plain; charset=utf-8' })
    expect(reply.body).toMatch(/^Invalid body_md5: you sent "99914b932bd37a50b983c5e7c90ae93b".*\n$/)
    expect(reply.body).not.toContain('ec365a775a4cd0599faeb73354201b6f')
    expect(fixture.core.published).toEqual([])
    expect(fixture.counting.auth).toEqual(['3'])
  })

  it('absent with a body: 401', async () => {
    const query = signedQuery('POST', '/apps/3/events', {})
    const reply = await new RestFixture().send('POST', '/apps/3/events', query, eventBody)
    expect(reply.status).toBe(401)
    expect(reply.body).toMatch(/^Missing parameter: body_md5/)
  })

  it('of something, without a body: 401', async () => {
    const query = signedQuery('POST', '/apps/3/events', { body_md5: 'ec365a775a4cd0599faeb73354201b6f' })
    expect((await new RestFixture().send('POST', '/apps/3/events', query)).status).toBe(401)
  })

  it('covers the exact bytes, invalid UTF-8 included', async () => {
    const fixture = new RestFixture()
    const reply = await fixture.post('/apps/3/events', Buffer.from([0x7b, 0xff, 0x7d]))
    expect(reply).toMatchObject({ status: 400, body: 'Invalid body: it is not UTF-8. Send JSON in UTF-8.\n' })
  })
})

it('no error text holds a secret or a digest that would be right', async () => {
  const fixture = new RestFixture()
  const query = `${auth}&auth_signature=${'0'.repeat(64)}`
  const { body } = await fixture.send('GET', '/apps/3/channels', query)
  expect(body).not.toContain(secret)
  expect(body).not.toContain(sign(`GET\n/apps/3/channels\n${auth}`))
})
