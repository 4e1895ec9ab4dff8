import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { eventually } from '../harness/eventually.js'
import { freePort } from '../harness/free-port.js'
import { RedisServer, type RedisServerOptions } from '../harness/redis-server.js'
import { describeWith } from '../requirements.js'
import { NodeLinks, prefix } from './links-fixture.js'

/** All that Belfry needs, on its own keys and channels. */
const commands = '+@read +@write +@scripting +publish +subscribe +unsubscribe +ping +info +client|setname +time +select'

describeWith(['redis'], 'logging in to Redis', () => {
  const folder = mkdtempSync(join(tmpdir(), 'belfry-tls-'))
  let redis: RedisServer | undefined
  let node: NodeLinks | undefined

  beforeAll(() => {
    openssl(
      'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=ca -keyout ca.key -out ca.pem',
    )
    openssl(
      'req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=redis.test -addext subjectAltName=DNS:redis.test -keyout key.pem -out request.pem',
    )
    openssl('x509 -req -days 2 -in request.pem -CA ca.pem -CAkey ca.key -copy_extensions copy -out cert.pem')
  })

  afterEach(async () => {
    await node?.close()
    await redis?.close()
    node = undefined
    redis = undefined
  })

  afterAll(() => rmSync(folder, { recursive: true }))

  function openssl(line: string): void {
    execFileSync('openssl', line.split(' '), { cwd: folder, stdio: 'ignore' })
  }

  function file(name: string): string {
    return join(folder, name)
  }

  async function serve(options: RedisServerOptions = {}): Promise<RedisServer> {
    redis = await RedisServer.start(options)
    return redis
  }

  async function works(): Promise<void> {
    expect(await node!.links.want(9, node!.channel(9, 'a'))).toBe(true)
    await node!.say(9, 'a', 'hello')
    await node!.received('hello')
  }

  test('a password with every special character, and a database', async () => {
    const password = 'p@ss:/?#[]%20 ü&'
    const { port } = await serve({ password })
    node = await NodeLinks.connect({ url: `redis://:${encodeURIComponent(password)}@127.0.0.1:${port}/3` })
    await works()
    await expect(redis!.command('INFO', 'keyspace')).resolves.toMatch(/^db3:keys=[12],/m)
  })

  test('a user with the least rights', async () => {
    const { port } = await serve({ acl: [`belfry on >secret ~${prefix}:* &${prefix}:* ${commands}`, 'default off'] })
    node = await NodeLinks.connect({ url: `redis://belfry:secret@127.0.0.1:${port}` })
    await works()
  })

  test.each([
    ['-info', 'INFO'],
    ['-eval', 'EVAL'],
    ['-publish', 'PUBLISH'],
    ['-subscribe', 'SUBSCRIBE'],
    ['-script', 'SCRIPT'],
  ])('a user without a right (%s) makes the start fail with its name', async (right, name) => {
    const { port } = await serve({ acl: [`belfry on >secret ~${prefix}:* &${prefix}:* ${commands} ${right}`] })
    node = new NodeLinks({ url: `redis://belfry:secret@127.0.0.1:${port}` })
    await expect(node.start()).rejects.toThrow(new RegExp(`^The Redis user may not run ${name}`))
    expect(node.logText).not.toContain('secret')
  })

  test('a user who may not use the channels makes the start fail with them', async () => {
    const { port } = await serve({ acl: [`belfry on >secret ~${prefix}:* &other:* ${commands}`] })
    node = new NodeLinks({ url: `redis://belfry:secret@127.0.0.1:${port}` })
    await expect(node.start()).rejects.toThrow(
      /^The Redis user may not use Belfry's channels with (PUBLISH|SUBSCRIBE): /,
    )
  })

  test('a wrong password is no error: it keeps trying, does not tell the password, and connects when it is right', async () => {
    const { port } = await serve({ password: 'right' })
    node = new NodeLinks({ url: `redis://:guessed@127.0.0.1:${port}` })
    await node.start()
    await eventually('it has tried again', () => node!.logger.at('warn').length >= 4)
    expect(node.logger.at('warn')[0]?.fields['reason']).toContain('WRONGPASS')
    await redis!.command('CONFIG', 'SET', 'requirepass', 'guessed')
    await node.allUp()
    await works()
    expect(node.logText).not.toContain('guessed')
  })

  test('a server that is not there is no error: it connects when there is one', async () => {
    const port = await freePort()
    node = new NodeLinks({ url: `redis://127.0.0.1:${port}` })
    await node.start()
    expect(node.links.of(0)).toBeUndefined()
    expect(await node.links.want(1, node.channel(1, 'early'))).toBe(false)
    await serve({ port })
    const thereAtMs = performance.now()
    await node.allUp()
    expect(performance.now() - thereAtMs).toBeLessThan(3000)
    expect(await node.links.want(1, node.channel(1, 'early'))).toBe(true)
  })

  test('the mode must be the server’s, both ways', async () => {
    const cluster = await serve({ config: ['cluster-enabled yes', `cluster-port ${await freePort()}`] })
    node = new NodeLinks({ url: cluster.url })
    await expect(node.start()).rejects.toThrow('set redis.mode to cluster')
    await cluster.close()
    const single = await serve()
    node = new NodeLinks({ mode: 'cluster', url: single.url })
    await expect(node.start()).rejects.toThrow('redis.mode is cluster, but the Redis server does not run as a cluster')
  })

  test('rediss:// with an authority of its own and a name that is not the host', async () => {
    const tls = { certFile: file('cert.pem'), keyFile: file('key.pem'), caFile: file('ca.pem') }
    const { url } = await serve({ tls, password: 'sesame' })
    const ca = readFileSync(file('ca.pem'), 'utf8')
    node = await NodeLinks.connect({ url, tls: { ca, serverName: 'redis.test' } })
    await works()
    await node.close()
    for (let round = 0; round < 10; round += 1) {
      node = new NodeLinks({ url, tls: { ca } })
      await node.start()
      await eventually('a warning', () => node!.logger.at('warn').length > 0)
      expect(node.logger.at('warn')[0]?.fields['reason']).toContain('altnames')
      // Closed in the middle of a handshake, a stream has two errors, and one that nobody hears would fail this test.
      await node.close()
    }
    node = new NodeLinks({ url })
    await node.start()
    await eventually('a warning', () => node!.logger.at('warn').length > 0)
    expect(node.logger.at('warn')[0]?.fields['reason']).toMatch(/self-signed|unable to/)
  })

  test('a client certificate, where the server demands one', async () => {
    const tls = { certFile: file('cert.pem'), keyFile: file('key.pem'), caFile: file('ca.pem') }
    const { url } = await serve({ tls: { ...tls, clientsNeedCertificate: true } })
    const [ca, cert, key] = ['ca.pem', 'cert.pem', 'key.pem'].map((name) => readFileSync(file(name), 'utf8'))
    node = await NodeLinks.connect({ url, tls: { ca, cert, key, serverName: 'redis.test' } })
    await works()
  })

  test('a broken certificate file keeps nothing from trying on', async () => {
    const { url } = await serve({
      tls: { certFile: file('cert.pem'), keyFile: file('key.pem'), caFile: file('ca.pem') },
    })
    node = new NodeLinks({ url, tls: { ca: 'not PEM', cert: 'nor this', key: 'nor that' } })
    await node.start()
    await eventually('it has tried again', () => node!.logger.at('warn').length >= 4)
  })
})
