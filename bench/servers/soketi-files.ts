/** The files that soketi is fetched and started with. */
import { benchApp } from './server.js'

export const soketiPackage = '@soketi/soketi'
const soketiVersion = '1.6.1'
const host = '127.0.0.1'

export interface SoketiPorts {
  readonly port: number
  readonly metricsPort: number
  /** UDP. */
  readonly discoveryPort: number
  /** Of the Redis that joins nodes; undefined: one node alone. */
  readonly redisPort: number | undefined
}

/** @param uWebSockets what our own package.json has for uWebSockets.js: both servers run on one binary */
export function packageJson(uWebSockets: string): string {
  const contents = {
    private: true,
    dependencies: { [soketiPackage]: soketiVersion },
    overrides: { 'uWebSockets.js': uWebSockets },
  }
  return `${JSON.stringify(contents, null, 2)}\n`
}

/**
 * Loaded in front of soketi, which asks for uWebSockets.js by `require`, while the package there is an ES module: hands out its
 * binary. In the folder it changes to is no `.env`, which soketi would take settings from.
 */
export const preload = `'use strict'
const Module = require('node:module')
const { join } = require('node:path')

const { platform, arch, versions } = process
const binary = join(__dirname, 'node_modules/uWebSockets.js/dist/bin', \`uws_\${platform}_\${arch}_\${versions.modules}.node\`)
const resolveFilename = Module._resolveFilename
Module._resolveFilename = function (request, ...rest) {
  return request === 'uWebSockets.js' ? binary : resolveFilename.call(this, request, ...rest)
}
process.chdir(__dirname)
`

/**
 * soketi's defaults with its limits off: rates (-1), members of a presence channel (100 otherwise). Metrics are off; what else the
 * port of metrics serves cannot be turned off. Nor can its search for other nodes, which is kept from leaving this machine.
 */
export function configuration({ port, metricsPort, discoveryPort, redisPort }: SoketiPorts): string {
  return JSON.stringify({
    host,
    port,
    'metrics.enabled': false,
    'metrics.host': host,
    'metrics.port': metricsPort,
    'cluster.hostname': host,
    'cluster.unicast': host,
    'cluster.port': discoveryPort,
    shutdownGracePeriod: 0,
    'presence.maxMembersPerChannel': 1_000_000,
    'appManager.array.apps': [
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
    ],
    ...(redisPort === undefined
      ? {}
      : { 'adapter.driver': 'redis', 'database.redis.host': host, 'database.redis.port': redisPort }),
  })
}
