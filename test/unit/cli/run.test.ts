import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { commands, runCommandLine } from '../../../src/cli/run.js'
import { HmacKey } from '../../../src/protocol/signature.js'
import { FakeConsole } from './fake-console.js'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'belfry-cli-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

/** Runs a call in the test's directory. */
async function run(argv: readonly string[], environment: Record<string, string> = {}) {
  const console = new FakeConsole(directory, environment)
  const exitCode = await runCommandLine(argv, console)
  return { exitCode, out: console.printed.join('\n'), err: console.complained.join('\n') }
}

const app = { BELFRY_APP_ID: '3', BELFRY_APP_KEY: '278d425bdf160c739803', BELFRY_APP_SECRET: '7ad3773142a6692b25b8' }

describe('help and version', () => {
  it('list every command', async () => {
    const { exitCode, out } = await run(['--help'])
    expect(exitCode).toBe(0)
    for (const { name, summary } of commands) expect(out).toContain(`  ${name.padEnd(11)}  ${summary}`)
    expect((await run(['help'])).out).toBe(out)
  })

  it.each(commands.map(({ name }) => name))('of %s tell its flags, with examples', async (name) => {
    const { exitCode, out } = await run([name, '--help'])
    const command = commands.find((candidate) => candidate.name === name)!
    expect(exitCode).toBe(0)
    for (const flag of command.flags) expect(out).toContain(`--${flag.name}`)
    for (const [call] of command.examples) expect(out).toContain(`belfry ${call}`)
    expect((await run(['help', name])).out).toBe(out)
  })

  it('list every option from the declared tree', async () => {
    const { out } = await run(['help', 'options'])
    expect(out).toContain(
      '--cluster-lease-ms NUMBER\n  BELFRY_CLUSTER_LEASE_MS\n      A node silent for so long counts as dead.',
    )
    expect((await run(['start', '--help'])).out).toContain('Port for WebSocket and REST.')
  })

  it('tell the version of the package', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
    expect(await run(['--version'])).toMatchObject({ exitCode: 0, out: version })
  })
})

describe('a call that makes no sense', () => {
  it.each([
    [['statr'], 'statr is not a command: did you mean start?'],
    [['zzzzzzzz'], 'zzzzzzzz is not a command: `belfry --help` lists them.'],
    [['help', 'chek'], 'chek is not a command: did you mean check?'],
    [['--prot', '1'], '--prot is not a flag of belfry start: did you mean --port?'],
    [['check', '--zzzzzzzzzzzz'], '--zzzzzzzzzzzz is not a flag of belfry check: `belfry check --help` lists them.'],
    [['check', '--port'], '--port needs a value: write --port=VALUE.'],
    [['check', 'belfry.yaml'], 'belfry.yaml is one argument too many: the call is `belfry check`.'],
    [['trigger', 'a'], 'Something is missing: the call is `belfry trigger CHANNEL[,CHANNEL…] EVENT [DATA]`.'],
    [['init', '--focre'], '--focre is not a flag of belfry init: did you mean --force?'],
    [['sign', '1', 'private-a'], '1 is no socket id: it is two numbers with a dot, like 123.456.'],
    [['sign', '1.1'], 'Sign either a channel or a user: give CHANNEL or --user.'],
    [['listen', 'a b'], 'a b is no valid channel name.'],
    [['trigger', 'a', 'b', '--port', '0'], 'The port 0 cannot be connected to: give --port a number from 1 to 65535.'],
  ])('%j is answered with what to do, and exit code 2', async (argv, message) => {
    expect(await run(argv, app)).toEqual({ exitCode: 2, out: '', err: message })
  })

  it('hears of all wrong flags together', async () => {
    expect((await run(['start', '--prot', '1', '--hots', 'x'])).err.split('\n')).toHaveLength(2)
  })
})

describe('check', () => {
  it('prints what is in effect without secrets, and finds belfry.yaml', async () => {
    writeFileSync(join(directory, 'belfry.yaml'), 'port: 7\napps: [{ id: a, key: k, secret: tell-nobody-and-nothing }]')
    const { exitCode, out, err } = await run(['check', '--metrics-port=8', '--log-level', 'warn'], {
      BELFRY_HOST: '::1',
    })
    expect([exitCode, err]).toEqual([0, ''])
    expect(parse(out)).toMatchObject({
      host: '::1',
      port: 7,
      metrics: { port: 8 },
      log: { level: 'warn' },
      apps: [{ id: 'a' }],
    })
    expect(out).not.toContain('tell-nobody')
  })

  it.each([['--config'], ['-c'], ['BELFRY_CONFIG']])('reads the file named by %s', async (name) => {
    writeFileSync(join(directory, 'other.json'), '{"port":9,"apps":[{"id":"a","key":"k","secret":"0123456789abcdef"}]}')
    const named = name.startsWith('-') ? run(['check', name, 'other.json']) : run(['check'], { [name]: 'other.json' })
    expect(parse((await named).out)).toMatchObject({ port: 9 })
  })

  it('tells all errors, with exit code 1', async () => {
    writeFileSync(join(directory, 'belfry.yaml'), 'prot: 7\nhost: 5')
    const { exitCode, out, err } = await run(['check'], app)
    expect([exitCode, out]).toEqual([1, ''])
    expect(err.split('\n')).toEqual([
      'host in belfry.yaml is 5, but must be text (in YAML: put it into quotes): correct it.',
      'prot in belfry.yaml is not a known key: did you mean port?',
    ])
  })

  it('reads a Laravel .env, and says what it made of it', async () => {
    writeFileSync(join(directory, '.env'), 'REVERB_APP_ID=1\nREVERB_APP_KEY=k\nREVERB_APP_SECRET=a-secret-of-reverb')
    const { out, err } = await run(['check', '--env-file', '.env'])
    expect(parse(out)).toMatchObject({ port: 8080, apps: [{ id: '1' }] })
    expect(err).toContain('REVERB_APP_KEY is used as BELFRY_APP_KEY.')
  })
})

describe('init', () => {
  it('writes a configuration that check accepts, readable only by its owner', async () => {
    expect(await run(['init'])).toMatchObject({ exitCode: 0, err: '' })
    expect(statSync(join(directory, 'belfry.yaml')).mode & 0o777).toBe(0o600)
    expect(await run(['check'])).toMatchObject({ exitCode: 0, err: '' })
  })

  it('overwrites nothing without --force', async () => {
    writeFileSync(join(directory, 'belfry.yaml'), 'mine')
    expect(await run(['init'])).toMatchObject({
      exitCode: 1,
      err: 'belfry.yaml is already there: use --force to overwrite it.',
    })
    expect(readFileSync(join(directory, 'belfry.yaml'), 'utf8')).toBe('mine')
    expect((await run(['init', '--force'])).exitCode).toBe(0)
    expect(statSync(join(directory, 'belfry.yaml')).mode & 0o777).toBe(0o600)
  })

  it('makes other credentials each time', async () => {
    const secrets = new Set<string>()
    for (const name of ['a.yaml', 'b.yaml']) {
      await run(['init', name])
      const { apps } = parse(readFileSync(join(directory, name), 'utf8')) as { apps: { secret: string }[] }
      secrets.add(apps[0]!.secret)
    }
    expect(secrets.size).toBe(2)
  })
})

describe('sign', () => {
  it('prints what an auth endpoint answers (vectors of section 3)', async () => {
    expect(JSON.parse((await run(['sign', '1234.1234', 'private-foobar'], app)).out)).toEqual({
      auth: '278d425bdf160c739803:58df8b0c36d6982b82c3ecf6b4662e34fe8c25bba48f5369f135bf843651c3a4',
    })
  })

  it('signs member data exactly as given', async () => {
    const data = '{"user_id": "7"}'
    const digest = new HmacKey(app.BELFRY_APP_SECRET).sign(`1.2:presence-a:${data}`)
    const { out } = await run(['sign', '1.2', 'presence-a', '--channel-data', data], app)
    expect(JSON.parse(out)).toEqual({ auth: `${app.BELFRY_APP_KEY}:${digest}`, channel_data: data })
  })

  it('signs users in', async () => {
    const digest = new HmacKey('s').sign('1.2::user::{"id":"7"}')
    const { out } = await run(['sign', '1.2', '--user', '{"id":"7"}', '--app-id', '1', '--key', 'k', '--secret', 's'])
    expect(JSON.parse(out)).toEqual({ auth: `k:${digest}`, user_data: '{"id":"7"}' })
  })

  it('asks for the member data of a presence channel', async () => {
    expect((await run(['sign', '1.2', 'presence-a'], app)).err).toContain('give --channel-data')
    expect((await run(['sign', '1.2', 'presence-a', '--channel-data', '7'], app)).err).toBe(
      '--channel-data must be a JSON object.',
    )
  })

  it('says when there is no such app', async () => {
    expect(await run(['sign', '1.2', 'private-a', '--app-id', 'x'], app)).toMatchObject({
      exitCode: 1,
      err: 'The configuration has no such app: give --app-id, --key and --secret.',
    })
  })
})

describe('start', () => {
  it('fails without an app, off a terminal', async () => {
    const { exitCode, err } = await run(['start'])
    expect([exitCode, err.startsWith('No app is configured: ')]).toEqual([1, true])
    expect((await run([])).err).toBe(err)
  })

  it('tells all errors of a broken configuration', async () => {
    const { exitCode, err } = await run(['--port', '70000', '--log-level', 'x'], app)
    expect([exitCode, err.split('\n').length]).toEqual([1, 2])
  })
})

describe('healthcheck', () => {
  it('fails when nobody answers', async () => {
    const { exitCode, err } = await run(['healthcheck', '--url', 'http://127.0.0.1:1/ready'])
    expect([exitCode, err]).toEqual([1, 'http://127.0.0.1:1/ready: connect ECONNREFUSED 127.0.0.1:1'])
  })

  it('cannot know the port 0', async () => {
    expect(await run(['healthcheck', '--port', '0'])).toMatchObject({
      exitCode: 1,
      err: 'The port is 0, so any port may be meant: give --url.',
    })
  })
})

describe('trigger', () => {
  it('says when no server answers, without the signed address', async () => {
    const { exitCode, err } = await run(['trigger', 'a', 'b', '--port', '1'], app)
    expect([exitCode, err]).toEqual([1, 'No connection to http://127.0.0.1:1 (ECONNREFUSED): is the server running?'])
  })
})
