import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Scenario } from '../scenario.js'
import { freePort, startNode } from './child.js'
import { folderOf, installedVersion, installFromRegistry } from './npm-peer.js'
import type { NpmPeer } from './npm-peer.js'
import type { Peer } from './peer.js'
import type { RunningServer, StartOptions } from './server.js'
import { configuration, packageJson, preload, soketiPackage } from './soketi-files.js'

const preloadFile = 'preload.cjs'

/**
 * soketi as its package is, one process, on the uWebSockets.js binary that Belfry has; configured in soketi-files.ts. It ends the
 * connection after every REST answer, so its rows "keep-alive" have a connection per request as well.
 */
export const soketi: Peer = {
  name: 'soketi',
  usesRedis: false,
  sendsWebhooks: false,
  costIsKnown: true,
  lacks: soketiLacks,
  install: installSoketi,
  version: soketiVersion,
  start: (options) => startSoketi(options),
}

export function installSoketi(): Promise<void> {
  return installFromRegistry(peer(), (line) => console.error(line))
}

export function soketiLacks(scenario: Scenario): string | undefined {
  return scenario.needsWebhooks === true
    ? 'its webhook events have no id, by which lost and doubled ones are told'
    : undefined
}

/** @throws Error in one sentence when it is not installed */
export function soketiVersion(): string {
  const own = installedVersion(peer(), soketiPackage)
  if (own === undefined) throw new Error('soketi has not been fetched')
  return `${own} on uWebSockets.js (${installedVersion(peer(), 'uWebSockets.js') ?? 'of unknown version'})`
}

/** @param redisPort of the Redis that joins nodes; undefined: one node alone */
export async function startSoketi(options: StartOptions, redisPort?: number): Promise<RunningServer> {
  const ports = new Set<number>()
  while (ports.size < 3) ports.add(await freePort())
  const [port = 0, metricsPort = 0, discoveryPort = 0] = ports
  const folder = mkdtempSync(join(tmpdir(), 'soketi-bench-'))
  const file = join(folder, 'config.json')
  writeFileSync(file, configuration({ port, metricsPort, discoveryPort, redisPort }))
  const remove = () => rmSync(folder, { recursive: true, force: true })
  const installed = folderOf(peer())
  const script = join(installed, 'node_modules', soketiPackage, 'bin', 'server.js')
  const command = ['--require', join(installed, preloadFile), script, 'start', `--config=${file}`]
  try {
    // It has read its configuration when it is ready.
    return await startNode(command, port, '/ready', options)
  } finally {
    remove()
  }
}

function peer(): NpmPeer {
  const ownPackage = readFileSync(join(import.meta.dirname, '..', '..', 'package.json'), 'utf8')
  const { dependencies } = JSON.parse(ownPackage) as { dependencies: Record<string, string> }
  const uWebSockets = dependencies['uWebSockets.js']
  if (uWebSockets === undefined) throw new Error('package.json has no uWebSockets.js')
  return { name: 'soketi', files: { 'package.json': packageJson(uWebSockets), [preloadFile]: preload } }
}
