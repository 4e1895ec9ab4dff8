/** Everything that is tried through the public address, in its order. */
import { randomToken } from '../../base/random.js'
import { requestBodyBytesMax } from '../../config/sizes.js'
import type { Config } from '../../config/schema.js'
import type { Address, Identity } from '../target.js'
import { Findings, type Finding } from './finding.js'
import { HttpClient } from './http-client.js'
import { addressName, frontPage, judgeName, judgeReady, judgeTls, type FrontPage } from './public-address.js'
import { PublicSocket } from './public-socket.js'
import { judgeLargeBody, judgeRoundTrip, publicPusher, type BatchSize } from './public-trigger.js'

/** Where nothing is configured here: the defaults of the limits. */
const defaultBatch: BatchSize = { events: 10, eventBytes: 102_400, bodyBytes: 6_209_536 }

export interface PublicInput {
  readonly address: Address
  /** Undefined when no app is known to act as. */
  readonly identity: Identity | undefined
  readonly config: Config | undefined
  /** How long to leave a connection silent; undefined = not tried. */
  readonly waitMs: number | undefined
  readonly nowMs: () => number
}

export async function publicFindings(input: PublicInput): Promise<Finding[]> {
  const { address, nowMs } = input
  const findings = new Findings('public')
  if (!(await judgeName(findings, address))) return findings.list
  if (!(await judgeTls(findings, address, nowMs()))) return findings.list
  const client = new HttpClient(address)
  try {
    const front = frontPage(address, await client.get(`${address.pathPrefix}/`))
    if (front.remedy === undefined) findings.ok(front.check, front.text)
    await judgeReady(findings, address, client, nowMs)
    const isServed = await judgeAsClient(findings, input, front.remedy === undefined)
    judgeFront(findings, front, isServed)
  } finally {
    client.close()
  }
  return findings.list
}

/** A proxy may pass only /app and /apps on, and then its front page is its own affair. */
function judgeFront(findings: Findings, front: FrontPage, isServed: boolean): void {
  if (front.remedy === undefined) return
  if (isServed) {
    findings.note(
      front.check,
      `${front.text}; that is right if only /app and /apps are passed on`,
      'let health checks ask Belfry itself',
    )
  } else findings.failed(front.check, front.text, front.remedy)
}

/** @returns whether a WebSocket opened */
async function judgeAsClient(
  findings: Findings,
  { address, identity, config, waitMs }: PublicInput,
  isReached: boolean,
): Promise<boolean> {
  if (identity === undefined) {
    findings.failed(
      'app',
      `No app is known for a round trip through ${addressName(address)}`,
      'give its --app-id, --key and --secret, or the configuration of the server',
    )
    return false
  }
  const socket = await PublicSocket.open(findings, address, identity.key, isReached)
  if (socket === undefined) return false
  try {
    const pusher = await publicPusher(address, identity)
    const name = `belfry-doctor-${randomToken()}`
    await judgeRoundTrip(findings, pusher, socket, name)
    await judgeLargeBody(findings, pusher, batchSizeOf(config, identity), `${name}-large`)
    await judgeSilence(findings, socket, waitMs)
  } finally {
    socket.close()
  }
  return true
}

function batchSizeOf(config: Config | undefined, { appId }: Identity): BatchSize {
  const app = config?.apps.find(({ id }) => id === appId)
  if (config === undefined || app === undefined) return defaultBatch
  const { batchEvents, eventBytes } = app.limits
  return { events: batchEvents, eventBytes, bodyBytes: requestBodyBytesMax(config) }
}

async function judgeSilence(findings: Findings, socket: PublicSocket, waitMs: number | undefined): Promise<void> {
  const activity = socket.activityTimeoutSeconds ?? 30
  if (waitMs === undefined) {
    findings.note(
      'silence',
      'How long the proxy leaves a silent connection open was not tried',
      `--wait ${2 * activity + 10} tries it for so many seconds`,
    )
    return
  }
  const cutAfterMs = await socket.staysSilent(waitMs)
  const waitSeconds = Math.round(waitMs / 1000)
  if (cutAfterMs === undefined) {
    findings.ok('silence', `A connection that only answers the server's pings stayed open for ${waitSeconds} s`)
    return
  }
  const seconds = Math.max(1, Math.round(cutAfterMs / 1000))
  const code = socket.closed?.code ?? 1006
  if (code >= 4000) {
    findings.note(
      'silence',
      `The server itself closed the silent connection after ${seconds} s (${code})`,
      'try again; docs/errors.md has the code',
    )
    return
  }
  findings.failed(
    'silence',
    `The proxy cut a silent connection after ${seconds} s (${code})`,
    `raise its read timeout above ${activity} s, in which one side always sends something (nginx has proxy_read_timeout), or lower heartbeat.activityTimeoutSeconds below it`,
  )
}
