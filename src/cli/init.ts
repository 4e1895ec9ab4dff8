import { chmodSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { AppCredentials } from '../config/environment-app.js'
import { CommandError, type Command } from './command.js'
import { randomCredentials } from './dev-app.js'

/** Writes a configuration with fresh credentials. */
export const initCommand: Command = {
  name: 'init',
  summary: 'Write a configuration with fresh credentials.',
  operands: '[FILE]',
  operandsMax: 1,
  flags: [{ name: 'force', description: 'Overwrite a file that is there.' }],
  examples: [
    ['init', 'Write belfry.yaml.'],
    ['init /etc/belfry.yaml --force', 'Write another file, also over an old one.'],
  ],
  async run(call, console) {
    const file = call.operands[0] ?? 'belfry.yaml'
    const path = resolve(console.directory, file)
    try {
      const flag = call.flags['force'] === undefined ? 'wx' : 'w'
      writeFileSync(path, configurationText(randomCredentials()), { mode: 0o600, flag })
      // An overwritten file keeps its old mode otherwise.
      chmodSync(path, 0o600)
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
      if (code === 'EEXIST') throw new CommandError(`${file} is already there: use --force to overwrite it.`)
      throw new CommandError(`${file} cannot be written (${code}).`)
    }
    console.print(
      `Wrote ${file}, readable only by you. Next: belfry start${file === 'belfry.yaml' ? '' : ` --config ${file}`}`,
    )
    return 0
  },
}

function configurationText({ id, key, secret }: AppCredentials): string {
  return `# Configuration of Belfry. Every key: docs/configuration.md. Check it with: belfry check
host: 0.0.0.0
port: 6001

# Serve TLS here, or let a proxy do it and name the proxy in trustedProxies.
# tls: { certFile: /etc/belfry/tls.crt, keyFile: /etc/belfry/tls.key }
# trustedProxies: [10.0.0.0/8]

apps:
  - id: "${id}"
    key: ${JSON.stringify(key)}
    secret: ${JSON.stringify(secret)}
    # allowedOrigins: [https://example.com]
    # limits: pusher
`
}
