import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { AppCredentials } from '../config/environment-app.js'
import { loadConfig } from '../config/load.js'
import type { CarriedOver } from '../config/soketi-file.js'
import { CommandError, type Command, type Console } from './command.js'
import { randomCredentials } from './dev-app.js'

/** Writes a configuration: with fresh credentials, or what a soketi file says. */
export const initCommand: Command = {
  name: 'init',
  summary: 'Write a configuration with fresh credentials, or from a file of soketi.',
  operands: '[FILE]',
  operandsMax: 1,
  flags: [
    { name: 'from', value: 'FILE', description: 'A JSON configuration of soketi 1.x to carry over.' },
    { name: 'force', description: 'Overwrite a file that is there.' },
  ],
  examples: [
    ['init', 'Write belfry.yaml.'],
    ['init /etc/belfry.yaml --force', 'Write another file, also over an old one.'],
    ['init --from soketi.json', 'Write belfry.yaml from what soketi was started with, and tell what differs.'],
  ],
  async run(call, console) {
    const file = call.operands[0] ?? 'belfry.yaml'
    const from = call.flags['from']
    const carried = from === undefined ? undefined : await carryOver(from, console)
    const text = carried === undefined ? configurationText(randomCredentials()) : movedText(carried)
    write(file, text, { force: call.flags['force'] !== undefined }, console)
    for (const line of carried?.lines ?? []) console.print(line)
    if (carried !== undefined) tellWhatIsLeft(file, text, console)
    console.print(
      `Wrote ${file}, readable only by you. Next: belfry start${file === 'belfry.yaml' ? '' : ` --config ${file}`}`,
    )
    return 0
  },
}

async function carryOver(from: string, console: Console): Promise<CarriedOver> {
  let text: string
  try {
    text = readFileSync(resolve(console.directory, from), 'utf8')
  } catch (error) {
    throw new CommandError(`${from} cannot be read (${codeOf(error)}): check the path and its permissions.`)
  }
  // Loaded only here: a server that starts has no use for it.
  const { configurationFromSoketi } = await import('../config/soketi-file.js')
  try {
    return configurationFromSoketi(text, randomCredentials)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw new CommandError(`${from} ${error.message}: give the file that soketi is started with (--config).`)
  }
}

function write(file: string, text: string, { force }: { readonly force: boolean }, console: Console): void {
  const path = resolve(console.directory, file)
  try {
    writeFileSync(path, text, { mode: 0o600, flag: force ? 'w' : 'wx' })
    // An overwritten file keeps its old mode otherwise.
    chmodSync(path, 0o600)
  } catch (error) {
    const code = codeOf(error)
    if (code === 'EEXIST') throw new CommandError(`${file} is already there: use --force to overwrite it.`)
    throw new CommandError(`${file} cannot be written (${code}).`)
  }
}

/** Rules over several keys, and advice, which `belfry check` would tell as well. */
function tellWhatIsLeft(file: string, text: string, console: Console): void {
  const loaded = loadConfig({ flags: {}, environment: {}, file, terminal: false, readText: () => text })
  for (const line of loaded.ok ? loaded.notes.map(({ message }) => message) : loaded.errors) console.complain(line)
}

function movedText({ text }: CarriedOver): string {
  return `# Configuration of Belfry, from a file of soketi. Every key: docs/configuration.md. Check it with: belfry check
${text}`
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

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
}
