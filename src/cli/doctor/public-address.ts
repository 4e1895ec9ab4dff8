/** The address that users reach the server by: its name, its certificate, and what answers there. */
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { connect, type TLSSocket } from 'node:tls'
import { CommandError } from '../command.js'
import { isLocal, originOf, type Address } from '../target.js'
import { clockVerdict, daysUntil } from './amounts.js'
import type { Findings } from './finding.js'
import type { HttpAnswer, HttpClient } from './http-client.js'

const connectMs = 10_000
const expiryWarnDays = 14

/** @throws CommandError (2) when it is no address of a server */
export function publicAddressOf(text: string): Address {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const scheme = url?.protocol ?? ''
  if (url === undefined || !['http:', 'https:', 'ws:', 'wss:'].includes(scheme)) {
    throw new CommandError('--url must be an address like https://ws.example.com or https://example.com/prefix.', 2)
  }
  const secure = scheme === 'https:' || scheme === 'wss:'
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (secure ? 443 : 80) : Number(url.port),
    secure,
    // What is pasted from a client may end in the path of the protocol.
    pathPrefix: url.pathname.replace(/\/app(?:\/.*)?$/, '').replace(/\/+$/, ''),
  }
}

/** For people, as they gave it. */
export function addressName(address: Address): string {
  const isDefault = address.port === (address.secure ? 443 : 80)
  const origin = originOf(address, 'http')
  return `${isDefault ? origin.replace(/:\d+$/, '') : origin}${address.pathPrefix}`
}

/** @returns whether it is worth going on */
export async function judgeName(findings: Findings, { host }: Address): Promise<boolean> {
  if (isIP(host) !== 0) return true
  try {
    const addresses = (await lookup(host, { all: true })).map(({ address }) => address)
    findings.ok('name', `${host} is ${addresses.join(', ')}`)
    return true
  } catch (error) {
    findings.failed(
      'name',
      `${host} has no address (${codeOf(error)})`,
      'make a DNS record for it, or correct the host in --url',
    )
    return false
  }
}

/** The certificate as browsers see it. @returns whether it is worth going on */
export async function judgeTls(findings: Findings, address: Address, nowMs: number): Promise<boolean> {
  if (!address.secure) return true
  const seen = await shakeHands(address)
  const name = addressName(address)
  if ('code' in seen) {
    const { text, remedy } = handshakeSentence(name, seen.code)
    findings.failed('tls', text, remedy)
    return false
  }
  const days = daysUntil(Date.parse(seen.validTo), nowMs)
  if (seen.problem !== undefined) {
    const local = isLocal(address.host) ? ', which on a local address may be meant' : ''
    findings[local === '' ? 'failed' : 'note'](
      'tls',
      `Browsers refuse the certificate of ${name} (${seen.problem})${local}`,
      certificateRemedy(seen.problem),
    )
  } else if (days < expiryWarnDays) {
    findings.warning('tls', `The certificate of ${name} expires in ${days} days`, 'see why it has not been renewed yet')
  } else findings.ok('tls', `The certificate of ${name} is trusted and valid for ${days} more days (${seen.protocol})`)
  return true
}

interface Shaken {
  /** Code of why it is not trusted. */
  readonly problem: string | undefined
  readonly validTo: string
  readonly protocol: string
}

function shakeHands({ host, port }: Address): Promise<Shaken | { readonly code: string }> {
  return new Promise((resolve) => {
    const name = isIP(host) === 0 ? { servername: host } : {}
    const socket: TLSSocket = connect({ host, port, ...name, rejectUnauthorized: false, timeout: connectMs })
    const end = (result: Shaken | { readonly code: string }) => {
      resolve(result)
      socket.destroy()
    }
    socket.on('error', (error) => end({ code: codeOf(error) }))
    socket.on('close', () => end({ code: 'ECONNRESET' }))
    socket.on('timeout', () => end({ code: 'ETIMEDOUT' }))
    socket.on('secureConnect', () => {
      // The typings say Error; it is the code.
      const reason: unknown = socket.authorizationError
      const problem = reason instanceof Error ? codeOf(reason) : String(reason)
      end({
        problem: socket.authorized ? undefined : problem,
        validTo: socket.getPeerCertificate().valid_to,
        protocol: socket.getProtocol() ?? 'TLS',
      })
    })
  })
}

function handshakeSentence(name: string, code: string): { text: string; remedy: string } {
  switch (code) {
    case 'ECONNREFUSED':
      return {
        text: `Nothing listens at ${name} (${code})`,
        remedy: 'start the proxy or the server, or correct the port in --url',
      }
    case 'ETIMEDOUT':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return {
        text: `${name} cannot be reached from here (${code})`,
        remedy: 'open the port in the firewall or security group',
      }
    default:
      return {
        text: `No TLS connection to ${name} comes about (${code})`,
        remedy: 'if the server there speaks plain HTTP, set up TLS in the proxy (or `tls`), or give an http:// address',
      }
  }
}

function certificateRemedy(problem: string): string {
  switch (problem) {
    case 'CERT_HAS_EXPIRED':
      return 'renew it'
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return 'get one for this name, or use the name it is for'
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
      return 'serve the whole chain: put the intermediate certificates behind the own one in the same file'
    default:
      return 'use one of an authority that browsers trust'
  }
}

/** Where a front page or a readiness path leads. */
export interface FrontPage {
  readonly check: string
  readonly text: string
  /** Undefined when all is well. */
  readonly remedy: string | undefined
}

/** `GET /` through the public address. Some proxies pass only the protocol's own paths on, so what it means is decided later. */
export function frontPage(address: Address, answer: HttpAnswer): FrontPage {
  const path = `${address.pathPrefix}/`
  const asked = `GET ${path} at ${addressName({ ...address, pathPrefix: '' })}`
  const { status, body } = answer
  if (status === 200 && body.trim() === 'OK') return front(`${asked} is answered by Belfry`)
  if (answer.error !== undefined) {
    return front(
      `${asked} gets no answer (${answer.error})`,
      'start the proxy or the server, or correct the port in --url',
    )
  }
  if (status >= 300 && status < 400) {
    return front(
      `${asked} is redirected (${status}), and WebSockets follow no redirects`,
      'give clients the address it leads to, scheme and path included',
    )
  }
  if (status === 404 && body.startsWith('Unknown path')) {
    return front(
      `${asked} reaches Belfry, which knows no such path`,
      'let the proxy pass the prefix on and set pathPrefix to it, or let it remove the prefix and leave pathPrefix empty',
    )
  }
  if (status === 505)
    return front(
      `${asked} is answered 505, since the proxy speaks HTTP/1.0 to Belfry`,
      'let it speak HTTP/1.1 (nginx has proxy_http_version)',
    )
  if (status === 404) return front(`${asked} is answered 404 by something else`, `route ${path} to Belfry in the proxy`)
  if (isUpstreamStatus(status))
    return front(`${asked} is answered ${status}, since the proxy does not reach Belfry`, upstreamRemedy)
  if (status === 200) {
    return front(
      `${asked} is answered by another server, not by Belfry`,
      'point this name or path at the port of Belfry',
    )
  }
  return front(`${asked} is answered ${status} by something in front of Belfry`, 'let these requests through there')
}

function front(text: string, remedy?: string): FrontPage {
  return { check: 'front', text, remedy }
}

export function isUpstreamStatus(status: number): boolean {
  return (status >= 502 && status <= 504) || (status >= 520 && status <= 526)
}

export const upstreamRemedy = "start Belfry, and correct its address and port in the proxy's upstream"

/** `GET /ready` through the public address, the clocks, and whether connections are kept. */
export async function judgeReady(
  findings: Findings,
  address: Address,
  client: HttpClient,
  nowMs: () => number,
): Promise<void> {
  const answer = await client.get(`${address.pathPrefix}/ready`)
  const { status, body, headers } = answer
  if (status === 200 && body.trim() === 'OK') {
    if (headers['x-belfry-degraded'] === undefined) findings.ok('ready', `${addressName(address)} is ready`)
    else {
      findings.warning(
        'ready',
        `${addressName(address)} is ready, but without its bus to the other nodes`,
        'see the lines about Redis, and belfry_bus_up on each node',
      )
    }
  } else if (body.startsWith('Not ready: ')) {
    findings.warning(
      'ready',
      `${addressName(address)} says it is not ready (${body.trim().slice('Not ready: '.length)})`,
      'see "Every 503 and 429" in docs/operating.md',
    )
  }
  if (status > 0 && headers.connection?.toLowerCase() === 'close') {
    findings.note(
      'keepAlive',
      'The proxy closes the connection after each HTTP request, so every trigger pays for a new one',
      'turn keep-alive on in it',
    )
  } else if (status > 0) findings.ok('keepAlive', 'HTTP connections are kept open for more requests')
  judgeDate(findings, headers.date, nowMs())
}

function judgeDate(findings: Findings, date: string | undefined, nowMs: number): void {
  const theirs = Date.parse(date ?? '')
  // Belfry sends no Date; a proxy does.
  if (Number.isNaN(theirs)) return
  const { verdict, text } = clockVerdict(Math.max(0, Math.abs(nowMs - theirs) - 2000))
  if (verdict === 'ok')
    findings.ok('clock', 'The clock of the public address agrees with that of this machine to within seconds')
  else {
    findings[verdict](
      'clock',
      `The clock of the public address and that of this machine are ${text} apart; signatures are refused from 600 s on`,
      'synchronise both by NTP',
    )
  }
}

export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error
    ? String(error.code)
    : error instanceof Error
      ? error.message
      : 'unknown'
}
