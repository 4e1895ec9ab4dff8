/** What a server says once it serves: its addresses, and what a developer pastes next. */
import type { PublicAddress } from '../config/compat.js'
import type { Config } from '../config/schema.js'
import { localAddress, originOf, reachableHost } from './target.js'

export interface ReadyServer {
  readonly config: Config
  /** The ports it really listens on. */
  readonly port: number
  readonly metricsPort: number | undefined
  /** Where browsers reach it, if that is known to be elsewhere. */
  readonly publicAddress: PublicAddress | undefined
  /** Whether the app was made up by us, so that its secret must be shown to be known at all. */
  readonly generatedApp: boolean
}

/** The line for the log, and its fields. */
export function readyLine(server: ReadyServer, version: string): { text: string; fields: Record<string, unknown> } {
  const { config, port, metricsPort } = server
  const address = { ...localAddress(config), port }
  const [http, ws] = [originOf(address, 'http') + config.pathPrefix, originOf(address, 'ws') + config.pathPrefix]
  const metricsAddress = { ...address, host: reachableHost(config.metrics.host), secure: false }
  const metrics =
    metricsPort === undefined ? undefined : `${originOf({ ...metricsAddress, port: metricsPort }, 'http')}/metrics`
  const text = `Belfry ${version} is ready: ${ws} and ${http}${metrics === undefined ? '' : `, metrics on ${metrics}`}`
  return { text, fields: { host: config.host, port, http, ws, ...(metrics === undefined ? {} : { metrics }) } }
}

/** The `.env` lines for Laravel and the options for Echo and pusher-js, for the first app. */
export function pasteText(server: ReadyServer): string {
  const [app] = server.config.apps
  const pair = app?.keys.at(-1)
  if (app === undefined || pair === undefined) return ''
  const place = placeOf(server)
  const secret = server.generatedApp ? pair.secret : `# the secret of app "${app.id}"`
  const credentials = { id: app.id, key: pair.key, secret }
  const { pathPrefix } = server.config
  const prefixNote = `# The path prefix goes into config/broadcasting.php: 'path' => '${pathPrefix}' beside 'host'`
  return [
    'For Laravel, in .env:',
    '',
    ...indented(environmentLines('REVERB', credentials, place)),
    ...indented(pathPrefix === '' ? [] : [prefixNote]),
    '',
    'or with the pusher connection:',
    '',
    ...indented(environmentLines('PUSHER', credentials, place)),
    '',
    'For Laravel Echo:',
    '',
    ...indented([
      'new Echo({',
      "  broadcaster: 'reverb',",
      `  key: '${pair.key}',`,
      ...clientOptions(server, place),
      '})',
    ]),
    '',
    'For pusher-js:',
    '',
    ...indented([`new Pusher('${pair.key}', {`, ...clientOptions(server, place), '})']),
  ].join('\n')
}

interface Place {
  readonly host: string
  readonly port: number
  readonly scheme: 'http' | 'https'
}

function placeOf({ config, port, publicAddress }: ReadyServer): Place {
  if (publicAddress === undefined) {
    return { host: reachableHost(config.host), port, scheme: config.tls === undefined ? 'http' : 'https' }
  }
  const { host, scheme } = publicAddress
  return { host, scheme, port: publicAddress.port ?? (scheme === 'https' ? 443 : 80) }
}

function environmentLines(
  name: 'REVERB' | 'PUSHER',
  app: { readonly id: string; readonly key: string; readonly secret: string },
  place: Place,
): string[] {
  const shared = ['APP_KEY', 'HOST', 'PORT', 'SCHEME']
  return [
    `BROADCAST_CONNECTION=${name.toLowerCase()}`,
    `${name}_APP_ID=${app.id}`,
    `${name}_APP_KEY=${app.key}`,
    `${name}_APP_SECRET=${app.secret}`,
    `${name}_HOST=${place.host}`,
    `${name}_PORT=${place.port}`,
    `${name}_SCHEME=${place.scheme}`,
    ...shared.map((part) => `VITE_${name}_${part}="\${${name}_${part}}"`),
  ]
}

/** Without `cluster` pusher-js refuses to start, and without the rest it talks to the hosted service. */
function clientOptions({ config }: ReadyServer, { host, port, scheme }: Place): string[] {
  return [
    "  cluster: '',",
    `  wsHost: '${host}',`,
    `  wsPort: ${port},`,
    `  wssPort: ${port},`,
    ...(config.pathPrefix === '' ? [] : [`  wsPath: '${config.pathPrefix}',`]),
    `  forceTLS: ${scheme === 'https'},`,
    "  enabledTransports: ['ws', 'wss'],",
  ]
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`)
}
