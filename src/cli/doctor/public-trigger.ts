/** Triggers through the public address, as an application sends them. */
import { Agent } from 'node:https'
import type Pusher from 'pusher'
import { originOf, type Address, type Identity } from '../target.js'
import { amount, milliseconds } from './amounts.js'
import type { Findings } from './finding.js'
import { isUpstreamStatus, upstreamRemedy } from './public-address.js'
import type { PublicSocket } from './public-socket.js'

const answerMs = 10_000
const eventMs = 5000
/** Larger bodies are not sent just to try. */
const bodyBytesMax = 16 * 1024 * 1024

/** How large a batch the server is configured to take. */
export interface BatchSize {
  readonly events: number
  readonly eventBytes: number
  /** What the proxy must let through. */
  readonly bodyBytes: number
}

/** A refused or unanswered call, without anything that was signed. */
export interface TriggerFailure {
  /** 0 when there was no answer. */
  readonly status: number
  readonly body: string
  readonly code: string
}

export async function publicPusher(address: Address, { appId, key, secret }: Identity): Promise<Pusher> {
  const { default: Library } = await import('pusher')
  return new Library({
    appId,
    key,
    secret,
    useTLS: address.secure,
    // The library has no setting for a path prefix; it takes the host as it is, and signs without it.
    host: `${originOf(address, 'http').replace(/^https?:\/\//, '')}${address.pathPrefix}`,
    timeout: answerMs,
    ...(address.secure ? { agent: new Agent({ rejectUnauthorized: false }) } : {}),
  })
}

/** One event to a channel that only this client has: is it accepted, does it arrive, how long does that take? */
export async function judgeRoundTrip(
  findings: Findings,
  pusher: Pick<Pusher, 'trigger'>,
  socket: PublicSocket,
  channel: string,
): Promise<void> {
  if (!(await socket.subscribe(channel, eventMs))) {
    findings.failed(
      'subscribe',
      'The server does not confirm a subscription through the public address within 5 s',
      'see the log of the server, and the lines about Redis',
    )
    return
  }
  const startedAtMs = performance.now()
  const arrived = socket.hears((frame) => frame.channel === channel && frame.event === 'doctor', eventMs)
  const failure = await failureOf(pusher.trigger(channel, 'doctor', '{}'))
  if (failure !== undefined) {
    const { text, remedy } = triggerTrouble(failure)
    findings.failed('trigger', text, remedy)
    return
  }
  const acceptedMs = performance.now() - startedAtMs
  if (await arrived) {
    const tookMs = performance.now() - startedAtMs
    findings.ok(
      'trigger',
      `A signed trigger is accepted after ${milliseconds(acceptedMs)}, and its event arrives ${milliseconds(tookMs)} after it was sent`,
    )
  } else {
    findings.failed(
      'trigger',
      'A signed trigger is accepted, but its event does not arrive within 5 s',
      'several nodes must share one Redis and prefix, so compare `redis` on all of them, and see belfry_bus_up',
    )
  }
}

/** A batch as large as the configuration allows without escaping, to a channel that nobody has. */
export async function judgeLargeBody(
  findings: Findings,
  pusher: Pick<Pusher, 'triggerBatch'>,
  size: BatchSize,
  channel: string,
): Promise<void> {
  const eventBytes = Math.min(size.eventBytes, Math.floor(bodyBytesMax / size.events))
  const bytes = eventBytes * size.events
  const data = 'x'.repeat(eventBytes)
  const batch = Array.from({ length: size.events }, () => ({ channel, name: 'doctor', data }))
  const failure = await failureOf(pusher.triggerBatch(batch))
  if (failure === undefined) {
    findings.ok('body', `A batch of ${amount(bytes)} gets through`)
    return
  }
  const { status, body } = failure
  if (status === 413 && isOurs413(body)) {
    findings.note(
      'body',
      `The server refuses a batch of ${amount(bytes)} itself, so its limits are lower than those configured here`,
    )
  } else if (status === 413) {
    findings.failed(
      'body',
      `The proxy refuses a request of ${amount(bytes)} with 413`,
      `raise its body limit to ${amount(size.bodyBytes)}, the most that Belfry takes (nginx has client_max_body_size)`,
    )
  } else if (status === 429)
    findings.ok('body', `A batch of ${amount(bytes)} gets through (and is refused by limits.triggersPerSecond)`)
  else {
    const { text, remedy } = triggerTrouble(failure)
    findings.failed('body', `${text}, when it holds a batch of ${amount(bytes)}`, remedy)
  }
}

function isOurs413(body: string): boolean {
  return body.startsWith('The request body exceeds') || body.startsWith('The data content of this event exceeds')
}

export function triggerTrouble({ status, body, code }: TriggerFailure): { text: string; remedy: string } {
  const answered = `A signed trigger through the public address is answered ${status}`
  if (status === 0) {
    return {
      text: `A signed trigger through the public address gets no answer (${code})`,
      remedy: 'see the log of the proxy',
    }
  }
  if (body.startsWith('Timestamp expired')) {
    return {
      text: `${answered}, because the clocks are more than 600 s apart`,
      remedy: 'synchronise this machine and the server by NTP',
    }
  }
  if (body.startsWith('Invalid signature')) {
    return {
      text: `${answered}, because its signature does not fit`,
      remedy:
        "correct the app's secret; if it is right, the proxy changes the path or the query, which it must pass on as they are",
    }
  }
  if (body.startsWith('Unknown auth_key') || body.startsWith('Unknown app')) {
    return {
      text: `${answered}, because the server has no such app or key`,
      remedy: 'give the app of that server by --app-id, --key and --secret',
    }
  }
  if (body.startsWith('Not confirmed')) {
    return { text: `${answered}, because Redis does not confirm it`, remedy: 'see the lines about Redis' }
  }
  if (isUpstreamStatus(status))
    return { text: `${answered}, since the proxy does not reach Belfry`, remedy: upstreamRemedy }
  if (status === 404 || status === 200) {
    return {
      text: `${answered} by something that is not Belfry`,
      remedy: 'route /apps (behind the prefix, if there is one) to Belfry in the proxy, as /app',
    }
  }
  if (status === 429)
    return { text: answered, remedy: 'try again when the app is less busy, or raise limits.triggersPerSecond' }
  return { text: answered, remedy: 'see docs/errors.md if the answer is from Belfry, else the log of the proxy' }
}

/** The library's own text holds the signed address, which is nobody's business. */
async function failureOf(call: ReturnType<Pusher['trigger']>): Promise<TriggerFailure | undefined> {
  try {
    const response = await call
    const body = await response.text()
    // Belfry answers with JSON; a page that says 200 is somebody else's.
    return body.startsWith('{') ? undefined : { status: response.status, body, code: '' }
  } catch (error) {
    const { status, body, error: cause } = error as { status?: unknown; body?: unknown; error?: unknown }
    if (typeof status === 'number') return { status, body: String(body), code: '' }
    return { status: 0, body: '', code: cause instanceof Error && 'code' in cause ? String(cause.code) : 'no answer' }
  }
}
