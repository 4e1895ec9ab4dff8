import type { Clock } from '../base/clock.js'
import type { AppRegistry } from '../core/ports/app-registry.js'
import type { CoreApi } from '../core/ports/api.js'
import { BrokerError } from '../core/ports/broker.js'
import type { HttpReply } from '../core/ports/http.js'
import { Refusal, refuse, restErrors } from '../protocol/rest-errors.js'
import { decodePercent } from '../protocol/rest-query.js'
import { authenticate, checkBody, type Admitted } from './guard.js'
import { batchEvents } from './handlers/batch-events.js'
import { channel } from './handlers/channel.js'
import { channelUsers } from './handlers/channel-users.js'
import { channels } from './handlers/channels.js'
import { connections } from './handlers/connections.js'
import { channelEvents, channelStats } from './handlers/deprecated.js'
import { events } from './handlers/events.js'
import type { Handler, RestCounting } from './handlers/handler.js'
import { terminateConnections } from './handlers/terminate-connections.js'
import { refusalReply } from './reply.js'

/** Bytes of body read where the API needs none; libraries send `{}` at most. */
const smallBodyBytesMax = 65_536

interface Endpoint {
  /** The metric label; a contract. */
  readonly label: RouteLabel
  readonly method: 'GET' | 'POST'
  readonly handler: Handler
  /** Whether the body carries events and so may be as large as the configuration says. */
  readonly carriesEvents: boolean
}

export type RouteLabel = (typeof routeLabels)[number]

/** Every value of the metric label `route` that this API gives. */
export const routeLabels = [
  'events',
  'batch_events',
  'channels',
  'channel',
  'channel_users',
  'terminate_connections',
  'connections',
  'channel_events_deprecated',
  'channel_stats_deprecated',
] as const

const endpoints = {
  events: post('events', events, true),
  batchEvents: post('batch_events', batchEvents, true),
  channels: get('channels', channels),
  channel: get('channel', channel),
  channelUsers: get('channel_users', channelUsers),
  terminateConnections: post('terminate_connections', terminateConnections, false),
  connections: get('connections', connections),
  channelEvents: post('channel_events_deprecated', channelEvents, true),
  channelStats: get('channel_stats_deprecated', channelStats),
} as const

export interface RouterOptions {
  readonly registry: Pick<AppRegistry, 'byId' | 'byKey'>
  readonly core: CoreApi
  readonly clock: Pick<Clock, 'nowMs'>
  readonly counting: RestCounting
  /** The largest body of a trigger or batch (`http.bodyBytes`). */
  readonly bodyBytesMax: number
}

/** Where a path leads: an endpoint, and what the path names. */
interface Place {
  readonly endpoint: Endpoint
  /** Decoded; undefined on python's path (4.8). */
  readonly appId: string | undefined
  /** The channel or user of the path, decoded; empty where there is none. */
  readonly target: string
}

/** The REST API's entrance. The transport asks `route`, then the route's `authenticate`, reads the body, then calls `handle`. */
export class Router {
  readonly #options: RouterOptions

  constructor(options: RouterOptions) {
    this.#options = options
  }

  /**
   * @param method upper case
   * @param path as received, without the configured prefix and without the query; still percent-encoded
   * @returns a route, or the reply when there is none (404, 405)
   */
  route(method: string, path: string): Route | HttpReply {
    const place = locate(path)
    if (place === undefined) return refusalReply(refuse(restErrors.unknownPath, path))
    const allowed = place.endpoint.method
    if (method !== allowed) {
      return { ...refusalReply(refuse(restErrors.methodNotAllowed, method, allowed)), headers: { Allow: allowed } }
    }
    return new Route(place, this.#options)
  }
}

/** One request's way. */
export class Route {
  /** The value of the metric label `route`. */
  readonly label: RouteLabel
  /** The transport refuses a larger body with `bodyTooLargeReply` before it is buffered. */
  readonly bodyBytesMax: number
  readonly #place: Place
  readonly #options: RouterOptions

  constructor(place: Place, options: RouterOptions) {
    const { endpoint } = place
    this.label = endpoint.label
    this.bodyBytesMax = endpoint.carriesEvents
      ? options.bodyBytesMax
      : Math.min(smallBodyBytesMax, options.bodyBytesMax)
    this.#place = place
    this.#options = options
  }

  /**
   * Every check of 4.1 that needs no body; call it before reading the body.
   * @param query raw, without `?`
   */
  authenticate(method: string, path: string, query: string): Admitted | HttpReply {
    const { registry, clock } = this.#options
    const { appId } = this.#place
    const result = authenticate({ method, path, query, appId }, registry, clock.nowMs())
    if (!(result instanceof Refusal)) return result
    if (appId !== undefined && registry.byId(appId) !== undefined) this.#countFailure(result, appId)
    return refusalReply(result)
  }

  /**
   * @param body the whole body, of at most `bodyBytesMax` bytes
   * @throws only what is a fault of ours; answer `internalErrorReply` and log it
   */
  async handle(admitted: Admitted, body: Buffer): Promise<HttpReply> {
    const refusal = checkBody(admitted, body)
    if (refusal !== undefined) {
      this.#countFailure(refusal, admitted.app.id)
      return refusalReply(refusal)
    }
    const { endpoint, target } = this.#place
    try {
      return await endpoint.handler(this.#options, { app: admitted.app, params: admitted.params, body, target })
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error
      return refusalReply(refuse(endpoint.method === 'POST' ? restErrors.notConfirmed : restErrors.readUnavailable))
    }
  }

  #countFailure(refusal: Refusal, appId: string): void {
    if (refusal.status === 401) this.#options.counting.authFailed(appId)
  }
}

function locate(path: string): Place | undefined {
  if (path.startsWith('/apps/')) {
    const idEnd = path.indexOf('/', 6)
    if (idEnd <= 6) return undefined
    return locateInApp(path.slice(idEnd + 1), decodePercent(path.slice(6, idEnd)))
  }
  // Python forgets the app (4.8).
  return path.startsWith('/users/') ? locateUser(path.slice(7), undefined) : undefined
}

function locateInApp(rest: string, appId: string): Place | undefined {
  switch (rest) {
    case 'events':
      return { endpoint: endpoints.events, appId, target: '' }
    case 'batch_events':
      return { endpoint: endpoints.batchEvents, appId, target: '' }
    case 'channels':
      return { endpoint: endpoints.channels, appId, target: '' }
    case 'connections':
      return { endpoint: endpoints.connections, appId, target: '' }
    default:
      if (rest.startsWith('channels/')) return locateChannel(rest.slice(9), appId)
      return rest.startsWith('users/') ? locateUser(rest.slice(6), appId) : undefined
  }
}

function locateChannel(rest: string, appId: string): Place | undefined {
  const nameEnd = rest.indexOf('/')
  const target = decodePercent(nameEnd < 0 ? rest : rest.slice(0, nameEnd))
  if (target === '') return undefined
  switch (nameEnd < 0 ? '' : rest.slice(nameEnd)) {
    case '':
      return { endpoint: endpoints.channel, appId, target }
    case '/users':
      return { endpoint: endpoints.channelUsers, appId, target }
    case '/stats':
      return { endpoint: endpoints.channelStats, appId, target }
    case '/events':
      return { endpoint: endpoints.channelEvents, appId, target }
    default:
      return undefined
  }
}

function locateUser(rest: string, appId: string | undefined): Place | undefined {
  const userEnd = rest.indexOf('/')
  if (userEnd <= 0 || rest.slice(userEnd) !== '/terminate_connections') return undefined
  return { endpoint: endpoints.terminateConnections, appId, target: decodePercent(rest.slice(0, userEnd)) }
}

function get(label: RouteLabel, handler: Handler): Endpoint {
  return { label, method: 'GET', handler, carriesEvents: false }
}

function post(label: RouteLabel, handler: Handler, carriesEvents: boolean): Endpoint {
  return { label, method: 'POST', handler, carriesEvents }
}
