import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { freePort, startNode } from './child.js'
import type { ServerKind } from './server.js'

const script = join(import.meta.dirname, '..', 'bare-server.js')

/** The bare uWebSockets.js server: the limit of this stack. */
export const bare: ServerKind = {
  name: 'bare',
  usesRedis: false,
  sendsWebhooks: false,
  version() {
    const entry = createRequire(import.meta.url).resolve.paths('uWebSockets.js') ?? []
    for (const folder of entry) {
      const found = versionIn(join(folder, 'uWebSockets.js', 'package.json'))
      if (found !== undefined) return `uWebSockets.js (${found})`
    }
    throw new Error(`uWebSockets.js is not installed: npm ci in ${dirname(script)}/..`)
  },
  async start(options) {
    const port = await freePort()
    return startNode([script, String(port)], port, '/ready', options)
  },
}

function versionIn(file: string): string | undefined {
  try {
    const { name, version } = JSON.parse(readFileSync(file, 'utf8')) as { name: string; version: string }
    return `${name} ${version}`
  } catch {
    return undefined
  }
}
