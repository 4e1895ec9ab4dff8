import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { tlsFindings } from '../../../src/cli/doctor/tls-findings.js'
import { sentenceOf } from '../../../src/cli/doctor/finding.js'
import { readFileSync } from 'node:fs'
import { freePort } from '../../harness/free-port.js'
import { TestServer } from '../../harness/test-server.js'
import { examined } from './examined.js'

describe('belfry doctor and the configuration', () => {
  test('tells every error of it, each with what to do', async () => {
    const seen = await examined([], { BELFRY_PORT: '70000', BELFRY_LOG_LEVEL: 'loud' })
    expect(seen.exitCode).toBe(1)
    expect(seen.failed).toHaveLength(2)
    expect(seen.failed[0]).toBe('BELFRY_PORT is 70000, but may be at most 65535: give a smaller number.')
  })

  test('says that there is no Redis, and that nothing is wrong', async () => {
    const seen = await examined([])
    expect(seen.exitCode).toBe(0)
    expect(seen.of('config.valid')).toBe('ok The configuration is valid (flags and environment, 1 app).')
    expect(seen.of('redis.configuration')).toContain('note Redis is not configured')
  })

  test('takes flags over variables', async () => {
    const port = await freePort()
    const seen = await examined(['--port', String(port)])
    expect(seen.of('ports.public')).toBe(`ok The public port ${port} on 127.0.0.1 is free, so no server runs here.`)
  })

  test('refuses more connections than there are files', async () => {
    const seen = await examined(['--capacity-connections', '9999999'])
    expect(seen.of('machine.files')).toMatch(
      /^failed A process started from here may open \d+ files, too few for capacity\.connections 9999999: raise the limit .* to 10000255, or lower capacity\.connections to \d+\.$/,
    )
  })
})

describe('belfry doctor and ports', () => {
  let other: Server | undefined
  let server: TestServer | undefined

  afterEach(async () => {
    await new Promise((resolve) => (other === undefined ? resolve(undefined) : other.close(resolve)))
    await server?.stop()
    other = undefined
    server = undefined
  })

  test('one that something else has', async () => {
    other = createServer((socket) =>
      socket
        .resume()
        .on('error', () => undefined)
        .end('220 mail\r\n'),
    )
    await new Promise<void>((resolve) => other!.listen(0, '127.0.0.1', resolve))
    const { port } = other.address() as AddressInfo
    const seen = await examined([], { BELFRY_PORT: String(port), BELFRY_METRICS_PORT: String(port) })
    const reason = `on 127.0.0.1 cannot be used (EADDRINUSE): something that is no Belfry has it, so stop that (\`ss -ltnp\` names it) or set`
    expect(seen.failed).toEqual([
      `The public port ${port} ${reason} port to another.`,
      `The metrics port ${port} ${reason} metrics.port to another.`,
    ])
  })

  test('those of a Belfry that runs', async () => {
    server = await TestServer.start()
    const { port, metricsPort } = server.running
    const seen = await examined([], { BELFRY_PORT: String(port), BELFRY_METRICS_PORT: String(metricsPort) })
    expect(seen.failed).toEqual([])
    expect(seen.of('ports.public')).toBe(`ok The public port ${port} on 127.0.0.1 is served by a Belfry that is ready.`)
    expect(seen.of('ports.metrics')).toMatch(
      /^ok The metrics port \d+ on 127\.0\.0\.1 is served by Belfry 0\.0\.0-test\.$/,
    )
    expect(seen.of('machine.files')).toContain('The running server may open')
  })

  test('an address that this machine has not', async () => {
    const seen = await examined([], { BELFRY_HOST: '203.0.113.5', BELFRY_PORT: '6001' })
    expect(seen.of('ports.public')).toBe(
      'failed The public port 6001 on 203.0.113.5 cannot be used (EADDRNOTAVAIL): this machine has no such address, so set host to one it has, or to 0.0.0.0.',
    )
  })
})

describe('belfry doctor and TLS files', () => {
  const folder = mkdtempSync(join(tmpdir(), 'belfry-doctor-'))
  const dayMs = 86_400_000
  const file = (name: string) => join(folder, name)
  const files = { key: 'tls', certFile: file('cert.pem'), keyFile: file('key.pem'), passphrase: undefined }

  beforeAll(() => {
    const make = (name: string, more: readonly string[]) =>
      execFileSync(
        'openssl',
        [
          ...'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -days 90 -subj /CN=ws.example.com'.split(' '),
          ...['-addext', 'subjectAltName=DNS:ws.example.com', '-keyout', `${name}key.pem`, '-out', `${name}cert.pem`],
          ...more,
        ],
        { cwd: folder, stdio: 'ignore' },
      )
    make('', ['-nodes'])
    make('other-', ['-nodes'])
    make('closed-', ['-passout', 'pass:open-sesame'])
  })

  afterAll(() => rmSync(folder, { recursive: true }))

  /** As failures and warnings, or all of it. */
  function judged(more: Partial<Parameters<typeof tlsFindings>[0]> = {}, inDays = 0, all = false): string[] {
    const input = { ...files, host: undefined, ...more }
    return tlsFindings(input, (path) => readFileSync(path, 'utf8'), Date.now() + inDays * dayMs)
      .filter(({ verdict }) => all || verdict !== 'ok')
      .map((finding) => `${finding.verdict} ${sentenceOf(finding)}`)
  }

  test('a good pair', () => {
    expect(judged({ host: 'ws.example.com' }, 0, true)).toEqual([
      `ok ${file('key.pem')} is the key of ${file('cert.pem')}.`,
      `ok The certificate ${file('cert.pem')} is valid for 89 more days.`,
      `ok The certificate ${file('cert.pem')} is for ws.example.com.`,
    ])
  })

  test('the whole command reads them', async () => {
    const seen = await examined(['--tls-cert-file', file('cert.pem'), '--tls-key-file', file('other-key.pem')])
    expect(seen.failed).toEqual([
      `${file('other-key.pem')} is not the key of ${file('cert.pem')}: put the key of that certificate into tls.keyFile.`,
    ])
  })

  test('a certificate that ends soon, and one that has ended', () => {
    const renew = 'renew it; the server reads the new files within 5 s'
    expect(judged({}, 70)).toEqual([`warning The certificate ${file('cert.pem')} expires in 19 days: ${renew}.`])
    const [expired, ...rest] = judged({}, 91)
    expect(expired).toMatch(/^failed The certificate .*cert\.pem expired on .* GMT: renew it;/)
    expect(rest).toEqual([])
  })

  test('one that is not valid yet', () => {
    expect(judged({}, -2)[0]).toMatch(/^failed .* is valid only from .* GMT on: check this machine's clock\.$/)
  })

  test('one for another name', () => {
    expect(judged({ host: 'chat.example.com' })).toEqual([
      `failed The certificate ${file('cert.pem')} is for DNS:ws.example.com, but not for chat.example.com: get one whose subjectAltName holds chat.example.com, unless a proxy with a certificate of its own is in front.`,
    ])
  })

  test('files that cannot be read', () => {
    expect(judged({ certFile: file('nowhere'), keyFile: file('cert.pem') })).toEqual([
      `failed tls.certFile names ${file('nowhere')}, which cannot be read (ENOENT): check the path, and that the user of the server may read it.`,
      `failed tls.keyFile names ${file('cert.pem')}, which holds no private key: give the PEM file of the private key.`,
    ])
    expect(judged({ certFile: file('key.pem') })).toEqual([
      `failed tls.certFile names ${file('key.pem')}, which holds no certificate: give the PEM file with the certificate and its intermediates, which begins with -----BEGIN CERTIFICATE-----.`,
    ])
  })

  test('a passphrase, right and wrong', () => {
    const closed = { certFile: file('closed-cert.pem'), keyFile: file('closed-key.pem') }
    expect(judged({ ...closed, passphrase: 'open-sesame' })).toEqual([])
    for (const passphrase of ['wrong', undefined]) {
      expect(judged({ ...closed, passphrase })).toEqual([
        `failed tls.keyFile names ${closed.keyFile}, which cannot be opened with the passphrase given: correct tls.passphrase.`,
      ])
    }
  })
})
