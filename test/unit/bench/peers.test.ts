import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { Meter } from '../../../bench/measure/meter.js'
import type { Scenario } from '../../../bench/scenario.js'
import { bare } from '../../../bench/servers/bare.js'
import { serverByUrl } from '../../../bench/servers/by-url.js'
import { costIsKnown, leftOut, leftOutLines } from '../../../bench/servers/peer.js'
import { benchApp } from '../../../bench/servers/server.js'
import { configuration, packageJson, preload } from '../../../bench/servers/soketi-files.js'
import { soketiCluster } from '../../../bench/servers/soketi-cluster.js'
import { soketi } from '../../../bench/servers/soketi.js'

const folders: string[] = []

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

describe('the files that soketi is fetched and started with', () => {
  it('pins its version and puts our uWebSockets.js in the place of its own', () => {
    const { dependencies, overrides } = JSON.parse(packageJson('npm:some-pack@1.2.3')) as Record<string, object>
    expect(dependencies).toEqual({ '@soketi/soketi': expect.stringMatching(/^\d+\.\d+\.\d+$/) as string })
    expect(overrides).toEqual({ 'uWebSockets.js': 'npm:some-pack@1.2.3' })
  })

  it('lets a CommonJS program require the binary of this platform and Node.js, in a folder without settings', () => {
    const folder = mkdtempSync(join(tmpdir(), 'belfry-peer-'))
    folders.push(folder)
    const binaries = join(folder, 'node_modules/uWebSockets.js/dist/bin')
    mkdirSync(binaries, { recursive: true })
    const { platform, arch, versions } = process
    // Never loaded: what would load it says which file it is.
    const name = `uws_${platform}_${arch}_${versions.modules}.node`
    writeFileSync(join(binaries, name), 'no binary')
    writeFileSync(join(folder, 'preload.cjs'), preload)
    const program = [
      `const { basename, sep } = require('node:path')`,
      `let loaded = 'nothing'`,
      `require.extensions['.node'] = (module, file) => (loaded = basename(file))`,
      `require('uWebSockets.js'); require('node:fs')`,
      `console.log(loaded, process.cwd().split(sep).at(-1))`,
    ]
    const output = execFileSync(process.execPath, ['--require', join(folder, 'preload.cjs'), '-e', program.join(';')], {
      encoding: 'utf8',
    })
    expect(output.trim()).toBe(`${name} ${folder.split('/').at(-1)}`)
  })

  it('has the app of every server, no limits and no metrics, and nothing that leaves this machine', () => {
    const text = configuration({ port: 1, metricsPort: 2, discoveryPort: 3, redisPort: undefined })
    const settings = JSON.parse(text) as Record<string, unknown>
    expect(settings).toMatchObject({ host: '127.0.0.1', port: 1, shutdownGracePeriod: 0 })
    expect(settings['metrics.enabled']).toBe(false)
    expect(settings['cluster.unicast']).toBe('127.0.0.1')
    expect(settings['appManager.array.apps']).toEqual([
      {
        ...benchApp,
        enabled: true,
        enableClientMessages: true,
        maxConnections: -1,
        maxBackendEventsPerSecond: -1,
        maxClientEventsPerSecond: -1,
        maxReadRequestsPerSecond: -1,
        webhooks: [],
      },
    ])
    expect(text).not.toContain('redis')
  })

  it('joins nodes by a Redis where there is one', () => {
    const text = configuration({ port: 1, metricsPort: 2, discoveryPort: 3, redisPort: 4 })
    expect(JSON.parse(text)).toMatchObject({ 'adapter.driver': 'redis', 'database.redis.port': 4 })
  })
})

const scenario = (name: string, needs: Partial<Scenario> = {}): Scenario => ({
  name,
  rows: [name],
  quick: false,
  run: () => Promise.resolve([]),
  ...needs,
})
const local = { host: '127.0.0.1', port: 6001, app: benchApp }

describe('what is left out', () => {
  it('is what a server lacks, with the reason', () => {
    expect(leftOut(soketi, scenario('fanout-100B'))).toBeUndefined()
    expect(leftOut(soketi, scenario('hooks', { needsWebhooks: true }))).toMatch(/webhook events have no id/)
    expect(leftOut(soketi, scenario('cut', { needsRedis: true }))).toMatch(/no Redis/)
    expect(leftOut(soketiCluster, scenario('cut', { needsRedis: true }))).toMatch(/in its Redis/)
    expect(leftOut(bare, scenario('hooks', { needsWebhooks: true }))).toMatch(/no webhooks/)
  })

  it('is what cannot be asked of a server given by URL', () => {
    const blind = serverByUrl({ ...local, pid: undefined })
    const seen = serverByUrl({ ...local, pid: 42 })
    const far = serverByUrl({ ...local, host: 'server.example', pid: undefined })
    for (const kind of [blind, seen, far]) {
      expect(leftOut(kind, scenario('fanout-100B'))).toBeUndefined()
      expect(leftOut(kind, scenario('cluster-fanout'))).toMatch(/one node/)
    }
    expect(leftOut(blind, scenario('idle'))).toMatch(/--pid/)
    expect(leftOut(seen, scenario('idle'))).toBeDefined()
    expect(leftOut(seen, scenario('hold'))).toBeUndefined()
    expect(leftOut(far, scenario('hold'))).toMatch(/on this machine/)
  })

  it('is one line for each server and reason', () => {
    const hooks = [
      scenario('one', { needsWebhooks: true }),
      scenario('two', { needsWebhooks: true }),
      scenario('three'),
    ]
    const contenders = [
      { label: 'soketi', kind: soketi },
      { label: 'bare', kind: bare },
    ]
    expect(leftOutLines(hooks, contenders)).toEqual([
      expect.stringMatching(/^left out, soketi: one, two: its webhook/),
      'left out, bare: one, two: it sends no webhooks',
    ])
  })
})

describe('a server given by URL', () => {
  it('is reached where it is, and measured only by its process', async () => {
    const running = await serverByUrl({ ...local, pid: 42 }).start({ nodeArguments: [] })
    expect(running.targets).toEqual([{ host: '127.0.0.1', port: 6001, app: benchApp }])
    expect(running.parts).toEqual([{ name: 'node', pid: 42 }])
    expect(costIsKnown(serverByUrl({ ...local, pid: 42 }))).toBe(true)
    expect(costIsKnown(bare)).toBe(true)
  })

  it('has no cost without one, which is not a cost of nothing', async () => {
    const blind = serverByUrl({ ...local, pid: undefined })
    const { parts } = await blind.start({ nodeArguments: [] })
    expect(costIsKnown(blind)).toBe(false)
    const { microseconds, result } = await new Meter(parts).cpu(() => Promise.resolve('done'))
    expect({ microseconds, result }).toEqual({ microseconds: NaN, result: 'done' })
  })
})
