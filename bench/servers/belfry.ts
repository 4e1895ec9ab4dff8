import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, startNode } from './child.js'
import { benchApp, hookedApp } from './server.js'
import type { RunningServer, ServerKind, StartOptions } from './server.js'

const repository = join(import.meta.dirname, '..', '..')
const script = join(repository, 'dist', 'main.js')

/** Belfry as built in dist/: one process, memory backend, defaults except for the limits that the load would hit. */
export const belfry: ServerKind = {
  name: 'belfry',
  usesRedis: false,
  sendsWebhooks: true,
  version: belfryVersion,
  start: (options) => startBelfry(options, {}),
}

/** @throws Error in one sentence when it is not built */
export function belfryVersion(): string {
  if (!existsSync(script)) throw new Error('dist/main.js is missing: npm run build')
  const { version } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as { version: string }
  return `belfry ${version}`
}

/** @param settings groups of the configuration file beside those that every measured node has */
export async function startBelfry(
  options: StartOptions,
  settings: Readonly<Record<string, unknown>>,
): Promise<RunningServer> {
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'belfry-bench-'))
  const file = join(folder, 'config.json')
  writeFileSync(file, JSON.stringify({ ...configuration(port, options.webhookUrl), ...settings }))
  const remove = () => rmSync(folder, { recursive: true, force: true })
  process.once('exit', remove)
  try {
    const server = await startNode([script, 'start', '--config', file], port, '/ready', options)
    const stop = async (gently: boolean) => {
      await server.stop(gently)
      process.removeListener('exit', remove)
      remove()
    }
    return { ...server, stop }
  } catch (error) {
    process.removeListener('exit', remove)
    remove()
    throw error
  }
}

function configuration(port: number, webhookUrl: string | undefined) {
  return {
    host: '127.0.0.1',
    port,
    metrics: { enabled: false },
    log: { level: 'warn', format: 'json' },
    drain: { preStopDelayMs: 0, periodMs: 0 },
    apps: [
      { ...benchApp, ...unlimited },
      ...(webhookUrl === undefined
        ? []
        : [{ ...hookedApp, ...unlimited, webhooks: [{ url: webhookUrl, allowPrivateNetwork: true }] }]),
    ],
  }
}

/** The rates that the load would hit. */
const unlimited = {
  clientEvents: { enabled: true, perSecond: 1_000_000 },
  limits: {
    messagesPerSecond: 0,
    triggersPerSecond: 0,
    readsPerSecond: 0,
    presenceMembers: 0,
    subscriptionsPerConnection: 100_000,
  },
}
