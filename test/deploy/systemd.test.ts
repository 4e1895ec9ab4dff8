import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { parseDotenv } from '../../src/config/dotenv.js'
import { oneApp, ServerNode } from '../black-box/server-node.js'
import { eventually } from '../harness/eventually.js'
import { RedisServer } from '../harness/redis-server.js'
import { describeWith } from '../requirements.js'
import { loaded } from '../unit/config/load-fixture.js'
import { read } from './chart-fixture.js'

const unit = read('deploy/systemd/belfry.service')
const quickStop = { preStopDelayMs: 0, periodMs: 0 }
const folders: string[] = []

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

/** A folder for PATH with a systemd-notify that writes down what it is told, and by whom. */
function fakeSystemd(exitCode = 0) {
  const folder = mkdtempSync(join(tmpdir(), 'belfry-systemd-'))
  folders.push(folder)
  const record = join(folder, 'record')
  const program = join(folder, 'systemd-notify')
  writeFileSync(program, `#!/bin/sh\nprintf '%s %s\\n' "$#" "$*" >>"$NOTIFY_SOCKET.record"\nexit ${exitCode}\n`)
  chmodSync(program, 0o755)
  return {
    environment: {
      NOTIFY_SOCKET: join(folder, 'socket'),
      PATH: `${folder}${delimiter}${process.env['PATH'] ?? ''}`,
    },
    told: () =>
      existsSync(`${join(folder, 'socket')}.record`)
        ? readFileSync(`${join(folder, 'socket')}.record`, 'utf8')
            .trim()
            .split('\n')
        : [],
    record,
  }
}

async function stop(node: ServerNode): Promise<void> {
  node.signal('SIGTERM')
  await eventually('the end', () => node.exit !== undefined, 10_000)
  expect(node.exit?.code).toBe(0)
  await node.close()
}

describe('systemd', () => {
  it('is told when the server serves and when it stops', async () => {
    const systemd = fakeSystemd()
    const node = await ServerNode.start({ apps: [oneApp], drain: quickStop }, systemd)
    await eventually('the first word', () => systemd.told().length === 1)
    await stop(node)
    expect(systemd.told()).toEqual(['1 READY=1', '1 STOPPING=1'])
    expect(node.at('warn')).toEqual([])
  })

  it('is not needed: one warning, and the server serves', async () => {
    const systemd = fakeSystemd(7)
    const node = await ServerNode.start({ apps: [oneApp], drain: quickStop }, systemd)
    await eventually('the warning', () => node.at('warn').length > 0)
    expect(await node.ready()).toBe(true)
    await stop(node)
    expect(systemd.told()).toEqual(['1 READY=1'])
    expect(node.at('warn')).toHaveLength(1)
    expect(node.at('warn')[0]).toContain('systemd-notify ended with 7')
  })

  it('has a program that may be missing', async () => {
    const environment = { NOTIFY_SOCKET: '/nowhere', PATH: '/nowhere' }
    const node = await ServerNode.start({ apps: [oneApp], drain: quickStop }, { environment })
    await eventually('the warning', () => node.at('warn').length > 0)
    expect(node.at('warn')[0]).toContain('systemd-notify cannot be run')
    await stop(node)
  })
})

describeWith(['redis'], 'systemd and several workers', () => {
  it('is told once, by their parent', async () => {
    const redis = await RedisServer.start()
    const systemd = fakeSystemd()
    const tree = { apps: [oneApp], drain: quickStop, workers: 2, redis: { url: redis.url } }
    const node = await ServerNode.start(tree, systemd)
    await eventually('the first word', () => systemd.told().length > 0)
    await stop(node)
    await redis.close()
    expect(systemd.told()).toEqual(['1 READY=1', '1 STOPPING=1'])
  })
})

describe('deploy/systemd', () => {
  it('waits for the word of the program that the server runs', () => {
    expect(unit).toMatch(/^Type=notify$/m)
    expect(unit).toMatch(/^NotifyAccess=all$/m)
    expect(unit).toMatch(/^TimeoutStopSec=45$/m)
  })

  it('has example files that Belfry accepts together', () => {
    const filled = { REVERB_APP_ID: '1', REVERB_APP_KEY: 'key-1', REVERB_APP_SECRET: 'a secret of some length' }
    const { variables } = parseDotenv(read('deploy/systemd/belfry.env.example'), {})
    for (const name of Object.keys(filled)) expect(variables.get(name)).toBe('')
    const environment = { ...Object.fromEntries(variables), ...filled }
    const { notes } = loaded({ files: { 'belfry.yaml': read('deploy/systemd/belfry.yaml') }, environment })
    expect(notes.filter(({ level }) => level === 'warn')).toEqual([])
  })
})

describeWith(['systemd-analyze'], 'the unit', (program) => {
  it('is one that systemd understands, and exposes little', () => {
    const folder = mkdtempSync(join(tmpdir(), 'belfry-unit-'))
    folders.push(folder)
    const file = join(folder, 'belfry.service')
    // Its program and user need not be on this machine.
    writeFileSync(file, unit.replace(/^ExecStart=.*$/m, 'ExecStart=/bin/true').replace(/^(User|Group)=.*\n/gm, ''))
    const verify = spawnSync(program, ['verify', '--man=no', file], { encoding: 'utf8' })
    expect(verify.stderr.split('\n').filter((line) => line.includes('belfry'))).toEqual([])
    expect(verify.status).toBe(0)
    writeFileSync(file, unit)
    const security = spawnSync(program, ['security', '--offline=yes', '--threshold=20', file], { encoding: 'utf8' })
    expect(`${security.stdout}${security.stderr}`).toMatch(/Overall exposure level for belfry\.service: [01]\.\d OK/)
    expect(security.status).toBe(0)
  })

  it('would be refused with an unknown setting', () => {
    const folder = mkdtempSync(join(tmpdir(), 'belfry-unit-'))
    folders.push(folder)
    const file = join(folder, 'belfry.service')
    writeFileSync(file, '[Service]\nExecStart=/bin/true\nProtectSystems=strict\n')
    const { stderr } = spawnSync(program, ['verify', '--man=no', file], { encoding: 'utf8' })
    expect(stderr).toMatch(/Unknown key (?:name )?'ProtectSystems'/)
  })
})
