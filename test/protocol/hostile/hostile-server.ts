import type { Credentials } from '../../harness/raw-client.js'
import type { RestTarget } from '../../harness/rest.js'
import { ServerNode } from '../../black-box/server-node.js'

export const appId = '3'
export const credentials: Credentials = { key: '278d425bdf160c739803', secret: '7ad3773142a6692b25b8' }
/** Bytes of a REST body above which the answer is 413. */
export const bodyBytesMax = 300_000
/** Bytes of a frame above which it is closed with 1009; four times as many, and it is cut. */
export const messageBytesMax = 102_400 + 24 * 1024

/** Apps that turn connections away, each in its own way, beside the one that is attacked. */
const otherApps = [
  { id: 'disabled', key: 'disabled-key', secret: 'disabled-secret', enabled: false },
  { id: 'tls-only', key: 'tls-only-key', secret: 'tls-only-secret', tlsOnly: true },
  { id: 'origins', key: 'origins-key', secret: 'origins-secret', allowedOrigins: ['https://example.com'] },
]

/** A real process with the default limits, except for a smaller bound on bodies. */
export function startHostileServer(): Promise<ServerNode> {
  const apps = [{ id: appId, ...credentials }, ...otherApps]
  // A proxy that is not there: what its headers say is believed from nobody.
  return ServerNode.start({ apps, http: { bodyBytes: bodyBytesMax }, trustedProxies: ['203.0.113.7'] })
}

export function targetOf(server: ServerNode): RestTarget {
  return { ...credentials, url: server.url, appId }
}
