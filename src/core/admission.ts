import { errors, type ProtocolError } from '../protocol/errors.js'
import type { Capacity } from './capacity.js'
import { originAllowed } from './origin.js'
import type { App } from './ports/app.js'
import type { AppRegistry } from './ports/app-registry.js'
import type { Budget } from './ports/budget.js'

/** What an upgrade request says about itself. Nothing in it is trusted. */
export interface Knock {
  /** The key of `/app/KEY`, percent-decoded; undefined when the path is another. */
  readonly appKey: string | undefined
  /** The `protocol` query parameter; undefined when absent. */
  readonly protocol: string | undefined
  /** The `Origin` header; empty when absent. */
  readonly origin: string
  /** Whether the client's side is TLS, also behind a trusted proxy. */
  readonly secure: boolean
  /** The client's address as text, for the bound per address; empty when unknown. */
  readonly address: string
}

export type Admission =
  | { readonly admitted: true; readonly app: App; readonly protocolVersion: number; readonly address: string }
  | { readonly admitted: false; readonly error: ProtocolError; readonly app: App | undefined }

const protocolDefault = 7
const protocolMin = 4
const protocolMax = 7

/** Decides whether a connection may open (1.3, 1.5). An admitted one counts in the budget and the capacity until it is released. */
export class Admissions {
  readonly #registry: AppRegistry
  readonly #budget: Budget
  readonly #capacity: Capacity
  readonly #requireVersion: boolean

  constructor(registry: AppRegistry, budget: Budget, capacity: Capacity, requireVersion: boolean) {
    this.#registry = registry
    this.#budget = budget
    this.#capacity = capacity
    this.#requireVersion = requireVersion
  }

  /** Permanent refusals first, so that a client that can never get in is told so also while the server is full. */
  decide(knock: Knock): Admission {
    const { appKey } = knock
    if (appKey === undefined) return refused(errors.pathNotFound())
    const app = this.#registry.byKey(appKey)
    if (app === undefined) return refused(errors.unknownKey(appKey))
    const protocolVersion = knock.protocol === undefined ? protocolDefault : parseVersion(knock.protocol)
    const error = this.#permanentRefusal(app, knock, protocolVersion)
    if (error !== undefined) return refused(error, app)
    if (!this.#capacity.admit(knock.address)) return refused(errors.overCapacity(), app)
    if (!this.#budget.admit(app.id, app.limits.connections)) {
      this.#capacity.release(knock.address)
      return refused(errors.overQuota(), app)
    }
    return { admitted: true, app, protocolVersion, address: knock.address }
  }

  /** An admitted connection is gone, or never opened. */
  release(appId: string, address: string): void {
    this.#capacity.release(address)
    this.#budget.release(appId)
  }

  #permanentRefusal(app: App, knock: Knock, protocolVersion: number): ProtocolError | undefined {
    if (!app.enabled) return errors.appDisabled()
    if (app.tlsOnly && !knock.secure) return errors.tlsOnly()
    if (knock.protocol === undefined && this.#requireVersion) return errors.versionRequired()
    if (!(protocolVersion >= protocolMin && protocolVersion <= protocolMax)) return errors.unsupportedVersion()
    if (!originAllowed(knock.origin, app.allowedOrigins)) return errors.originNotAllowed()
    return undefined
  }
}

function refused(error: ProtocolError, app?: App): Admission {
  return { admitted: false, error, app }
}

/** A whole number, or NaN. */
function parseVersion(text: string): number {
  return /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
}
