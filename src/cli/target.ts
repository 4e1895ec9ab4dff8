/** Which server a command talks to, and as which app: from its flags, else from the configuration of the server beside it. */
import { loadConfig } from '../config/load.js'
import type { Config } from '../config/schema.js'
import { CommandError, sourceFlags, type Call, type Console, type Flag } from './command.js'
import { configurationInput } from './configuration.js'
import { readCredentials } from './dev-app.js'

export interface Address {
  readonly host: string
  readonly port: number
  readonly secure: boolean
  readonly pathPrefix: string
}

export interface Identity {
  readonly appId: string
  readonly key: string
  readonly secret: string
}

export const identityFlags: readonly Flag[] = [
  { name: 'app-id', value: 'ID', description: 'App to act as (default: the first of the configuration).' },
  { name: 'key', value: 'KEY', description: "The app's key." },
  { name: 'secret', value: 'SECRET', description: "The app's secret." },
  ...sourceFlags,
]

export const targetFlags: readonly Flag[] = [
  { name: 'host', value: 'HOST', description: 'Where the server is (default: 127.0.0.1).' },
  { name: 'port', value: 'PORT', description: 'Its port (default: that of the configuration).' },
  { name: 'tls', description: 'Connect with TLS (default: when the configuration has tls).' },
  { name: 'path-prefix', value: 'PATH', description: 'Its path prefix.' },
  ...identityFlags,
]

/** @throws CommandError when the configuration cannot be read, or has no such app */
export function targetOf(call: Call, console: Console): Address & Identity {
  const config = configOf(call, console)
  return { ...addressOf(call, config), ...identityOf(call, config) }
}

/** @throws CommandError as `targetOf` */
export function identityFor(call: Call, console: Console): Identity {
  return identityOf(call, configOf(call, console))
}

/** Where this machine reaches a server of that configuration. */
export function localAddress(config: Pick<Config, 'host' | 'port' | 'tls' | 'pathPrefix'>): Address {
  const { host, port, pathPrefix } = config
  return { host: reachableHost(host), port, secure: config.tls !== undefined, pathPrefix }
}

/** `http://127.0.0.1:6001`, with brackets around an IPv6 address. */
export function originOf({ host, port, secure }: Address, scheme: 'http' | 'ws'): string {
  const name = host.includes(':') ? `[${host}]` : host
  return `${scheme}${secure ? 's' : ''}://${name}:${port}`
}

/** Whether the server is on this machine, where its certificate cannot carry the name it is reached by. */
export function isLocal(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.')
}

/** A server that listens everywhere is reached over the loopback. */
export function reachableHost(host: string): string {
  if (host === '0.0.0.0' || host === '') return '127.0.0.1'
  return host === '::' ? '::1' : host
}

/** The configuration, or nothing when the flags say all there is to know. */
function configOf(call: Call, console: Console): Config | undefined {
  const { 'app-id': id, key, secret } = call.flags
  const given = id === undefined || key === undefined || secret === undefined ? undefined : { id, key, secret }
  const loaded = loadConfig({
    ...configurationInput(call, console),
    appWhenNone: () => given ?? readCredentials(console.directory),
  })
  if (loaded.ok) return loaded.config
  if (given !== undefined) return undefined
  throw new CommandError(loaded.errors.join('\n'))
}

function addressOf(call: Call, config: Config | undefined): Address {
  const local = localAddress(config ?? { host: '127.0.0.1', port: 6001, tls: undefined, pathPrefix: '' })
  const port = call.flags['port'] ?? String(local.port)
  if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535) {
    throw new CommandError(`The port ${port} cannot be connected to: give --port a number from 1 to 65535.`, 2)
  }
  return {
    host: call.flags['host'] ?? local.host,
    port: Number(port),
    secure: call.flags['tls'] === undefined ? local.secure : call.flags['tls'] !== 'false',
    pathPrefix: call.flags['path-prefix'] ?? local.pathPrefix,
  }
}

function identityOf(call: Call, config: Config | undefined): Identity {
  const { 'app-id': id, key: givenKey, secret: givenSecret } = call.flags
  const apps = config?.apps ?? []
  const app = id === undefined ? apps[0] : apps.find((candidate) => candidate.id === id)
  const pair = app?.keys.find(({ key }) => givenKey === undefined || key === givenKey)
  const appId = id ?? app?.id
  const key = givenKey ?? pair?.key
  const secret = givenSecret ?? pair?.secret
  if (appId === undefined || key === undefined || secret === undefined) {
    throw new CommandError('The configuration has no such app: give --app-id, --key and --secret.')
  }
  return { appId, key, secret }
}
