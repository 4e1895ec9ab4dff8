/** The sizes that follow from the apps' limits where the configuration says 0. */
import type { Config } from './schema.js'

/** Room for the envelope, the auth token and the channel data around an event. */
const frameOverheadBytes = 24 * 1024
/** Room for what surrounds the events of a request. */
const bodyOverheadBytes = 64 * 1024
/** A JSON-escaped byte may take six. */
const escapedBytesPerByte = 6

/** Bytes of the largest frame: `websocket.messageBytes`, or what its 0 stands for with these apps. */
export function messageBytesMax(config: Pick<Config, 'websocket' | 'apps'>): number {
  if (config.websocket.messageBytes !== 0) return config.websocket.messageBytes
  return Math.max(0, ...config.apps.map((app) => app.limits.eventBytes)) + frameOverheadBytes
}

/** Bytes of the largest request body: `http.bodyBytes`, or what its 0 stands for with these apps. */
export function requestBodyBytesMax(config: Pick<Config, 'http' | 'apps'>): number {
  if (config.http.bodyBytes !== 0) return config.http.bodyBytes
  const events = config.apps.map((app) => escapedBytesPerByte * app.limits.eventBytes * app.limits.batchEvents)
  return Math.max(0, ...events) + bodyOverheadBytes
}
