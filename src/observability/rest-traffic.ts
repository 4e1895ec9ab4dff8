import type { HttpEntrance, HttpReply, HttpRoute } from '../core/ports/http.js'
import type { AppSample } from './metrics-source.js'

type Traffic = NonNullable<AppSample['http']>

const none: Traffic = { requests: 0, bytesReceived: 0, bytesSent: 0 }

/**
 * REST requests per app and the bytes of their bodies and answers, which only soketi's names show. A request counts when its
 * signature is good: before, its app is what the caller says, and anybody could make labels.
 */
export class RestTraffic {
  /** An entry for each app that was ever asked for; an app must exist for that. */
  readonly #byApp = new Map<string, { -readonly [Key in keyof Traffic]: Traffic[Key] }>()

  of(appId: string): Traffic {
    return this.#byApp.get(appId) ?? none
  }

  /** The same entrance, with every request counted that it admits. */
  counting<Admitted extends { readonly app: { readonly id: string } }>(
    entrance: HttpEntrance<Admitted>,
  ): HttpEntrance<Admitted> {
    return {
      ...entrance,
      route: (method, path) => {
        const route = entrance.route(method, path)
        return 'status' in route ? route : this.#countingRoute(route)
      },
    }
  }

  #countingRoute<Admitted extends { readonly app: { readonly id: string } }>(
    route: HttpRoute<Admitted>,
  ): HttpRoute<Admitted> {
    return {
      label: route.label,
      bodyBytesMax: route.bodyBytesMax,
      authenticate: (method, path, query) => route.authenticate(method, path, query),
      handle: async (admitted, body) => {
        // The bytes are the transport's again once the first wait begins.
        const received = body.length
        const reply = await route.handle(admitted, body)
        this.#count(admitted.app.id, received, reply)
        return reply
      },
    }
  }

  #count(appId: string, received: number, reply: HttpReply): void {
    let traffic = this.#byApp.get(appId)
    if (traffic === undefined) this.#byApp.set(appId, (traffic = { ...none }))
    traffic.requests += 1
    traffic.bytesReceived += received
    traffic.bytesSent += Buffer.byteLength(reply.body)
  }
}
