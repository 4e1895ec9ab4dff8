import type { App } from '../core/ports/app.js'
import type { AppRegistry } from '../core/ports/app-registry.js'
import { Refusal, refuse, restErrors } from '../protocol/rest-errors.js'
import { decodePercent, parseQuery, type Params, type Query } from '../protocol/rest-query.js'
import { bodyMd5, type HmacKey } from '../protocol/signature.js'

/** How far auth_timestamp may be from this server's clock, exclusive (4.1). */
const timestampWindowMs = 600_000

/** A request whose signature is good. The body is checked against `bodyMd5` when it has been read. */
export interface Admitted {
  readonly app: App
  /** As signed: decoded, or as they stood on the wire when the library signed them so. */
  readonly params: Params
  /** The signed MD5 of the body, or undefined when the query has none. */
  readonly bodyMd5: string | undefined
}

/** What the signature covers, and the app it is for. */
export interface SignedRequest {
  /** Upper case. */
  readonly method: string
  /** As received, without the configured prefix and without the query. */
  readonly path: string
  /** Raw, without `?`. */
  readonly query: string
  /** The app of the path; undefined where the path has none (4.8): then the key tells the app. */
  readonly appId: string | undefined
}

/** Decides, before any of the body is read, whether the request may enter: the checks of 4.1 in their order. */
export function authenticate(
  request: SignedRequest,
  registry: Pick<AppRegistry, 'byId' | 'byKey'>,
  nowMs: number,
): Admitted | Refusal {
  const query = parseQuery(request.query)
  if (query.duplicate !== undefined) return refuse(restErrors.duplicateParameter, query.duplicate)
  const { params } = query
  const key = params.get('auth_key')
  if (key === undefined || key === '') return refuse(restErrors.missingAuthKey)
  const app = request.appId === undefined ? registry.byKey(key) : registry.byId(request.appId)
  if (app === undefined && request.appId !== undefined) return refuse(restErrors.unknownApp, request.appId)
  const signer = app?.signers.get(key)
  if (app === undefined || signer === undefined) return refuse(restErrors.unknownAuthKey)
  const refusal = checkVersion(params) ?? checkTimestamp(params, nowMs)
  if (refusal !== undefined) return refusal
  const signedParams = verifySignature(request, query, signer)
  if (signedParams instanceof Refusal) return signedParams
  if (!app.enabled) return refuse(restErrors.appDisabled)
  return { app, params: signedParams, bodyMd5: signedParams.get('body_md5') }
}

/** The last check of 4.1. `body_md5` on an empty body is legal: python sends it on every GET. */
export function checkBody(admitted: Admitted, body: Buffer): Refusal | undefined {
  const { bodyMd5: signed } = admitted
  if (signed === undefined) return body.length === 0 ? undefined : refuse(restErrors.missingBodyMd5)
  return signed === bodyMd5(body) ? undefined : refuse(restErrors.wrongBodyMd5, signed)
}

function checkVersion(params: Params): Refusal | undefined {
  const version = params.get('auth_version')
  if (version === undefined || version === '') return refuse(restErrors.versionRequired)
  return version === '1.0' ? undefined : refuse(restErrors.versionNotSupported)
}

function checkTimestamp(params: Params, nowMs: number): Refusal | undefined {
  const given = params.get('auth_timestamp')
  if (given === undefined || given === '') return refuse(restErrors.timestampRequired)
  // A comparison with NaN is false, so what is no number is expired.
  const differenceMs = /^\d+$/.test(given) ? Math.abs(nowMs - Number(given) * 1000) : NaN
  return differenceMs < timestampWindowMs ? undefined : refuse(restErrors.timestampExpired, given, nowMs)
}

/** The parameters in the form in which they were signed, or the refusal. At most four strings to sign are tried (4.1). */
function verifySignature(request: SignedRequest, query: Query, signer: HmacKey): Params | Refusal {
  const given = query.params.get('auth_signature') ?? ''
  const decodedPath = decodePercent(request.path)
  const paths = decodedPath === request.path ? [request.path] : [request.path, decodedPath]
  for (const path of paths) {
    const target = `${request.method}\n${path}\n`
    if (signer.verify(target + query.signed, given)) return query.params
    if (query.raw !== undefined && signer.verify(target + query.raw.signed, given)) return query.raw.params
  }
  return refuse(restErrors.invalidSignature, `${request.method}\n${request.path}\n${query.signed}`, given)
}
