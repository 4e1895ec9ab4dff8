/**
 * Takes the stopped server's place for a moment and looks at what the proxy passes on. The server itself tells nobody whom it takes
 * a client for, so only its place shows that.
 */
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { randomToken } from '../../base/random.js'
import type { Config } from '../../config/schema.js'
import { originOf, type Address } from '../target.js'
import type { Findings } from './finding.js'
import { HttpClient } from './http-client.js'
import { addressName } from './public-address.js'

/** What nobody sends: when it reaches the server, a client can claim any address. */
const claimedAddress = '203.0.113.77'
const upgradeMs = 5000

/** A request as the server would have got it. */
export interface Passed {
  readonly path: string
  /** Address of the other end of the connection. */
  readonly peer: string
  readonly headers: Readonly<Record<string, string>>
  readonly isUpgrade: boolean
}

type StandInConfig = Pick<Config, 'host' | 'port' | 'tls' | 'pathPrefix'>

export async function judgeByStandIn(findings: Findings, config: StandInConfig, address: Address): Promise<void> {
  const token = `belfry-doctor-${randomToken()}`
  const seen: Passed[] = []
  const server = await listen(config, (request, isUpgrade) => {
    if (request.url?.includes(token) === true) seen.push(passedOf(request, isUpgrade))
  })
  if (server === undefined) {
    findings.failed(
      'standIn',
      `The doctor cannot take the server's place on port ${config.port}, because something has that port`,
      'stop the server for this check, or leave --stand-in out',
    )
    return
  }
  const client = new HttpClient(address)
  try {
    await client.get(`${address.pathPrefix}/app/${token}`, { 'X-Forwarded-For': claimedAddress })
    await Promise.race([upgrade(address, token), new Promise((resolve) => setTimeout(resolve, upgradeMs))])
  } finally {
    client.close()
    server.closeAllConnections()
    server.close()
  }
  standInFindings(findings, seen, config, address)
}

/** @param seen what reached the server's place; the request first, then the upgrade */
export function standInFindings(
  findings: Findings,
  seen: readonly Passed[],
  config: StandInConfig,
  address: Address,
): void {
  const name = addressName(address)
  const [first] = seen
  if (first === undefined) {
    findings.failed(
      'standIn',
      `Nothing of what was sent to ${name} reached port ${config.port} of this machine`,
      'correct the address and port of Belfry in the proxy, or run the doctor on the machine the proxy leads to',
    )
    return
  }
  const path = first.path.slice(0, first.path.indexOf('/app/'))
  if (path === config.pathPrefix)
    findings.ok('prefix', `The proxy passes paths on as the server expects them${path === '' ? '' : ` (with ${path})`}`)
  else {
    findings.failed(
      'prefix',
      `The proxy passes paths on with ${path === '' ? 'no prefix' : `the prefix ${path}`}, but pathPrefix is "${config.pathPrefix}"`,
      `set pathPrefix to "${path}", or change the proxy`,
    )
  }
  if (seen.some(({ isUpgrade }) => isUpgrade)) findings.ok('upgrade', 'The proxy passes the WebSocket upgrade on')
  else {
    findings.failed(
      'upgrade',
      'The proxy does not pass the WebSocket upgrade on',
      'let it speak HTTP/1.1 to Belfry and pass the headers Upgrade and Connection on',
    )
  }
  judgeForwardedFor(findings, first)
  judgeForwardedProto(findings, first, address)
}

function judgeForwardedFor(findings: Findings, { headers, peer }: Passed): void {
  const hops = (headers['x-forwarded-for'] ?? '').split(',').map((hop) => hop.trim())
  const last = hops.at(-1) ?? ''
  const trust = `the proxy connects from ${peer}, which is what trustedProxies must hold`
  if (last === '') {
    findings.failed(
      'forwardedFor',
      'The proxy sends no X-Forwarded-For, so every client has its address',
      'let it set X-Forwarded-For to the address of the client',
    )
  } else if (last === claimedAddress) {
    findings.failed(
      'forwardedFor',
      'X-Forwarded-For reaches the server as the client wrote it, so anybody may claim any address',
      'let the proxy set it, or leave trustedProxies empty if there is no proxy',
    )
  } else if (hops.length > 1) {
    findings.warning(
      'forwardedFor',
      `The proxy appends to X-Forwarded-For (the last is ${last}) and keeps what the client wrote; ${trust}`,
      'Belfry reads it from the right and is not deceived, but other programs are; set it rather than append',
    )
  } else findings.ok('forwardedFor', `The proxy sets X-Forwarded-For to ${last}; ${trust}`)
}

function judgeForwardedProto(findings: Findings, { headers }: Passed, { secure }: Address): void {
  const scheme = headers['x-forwarded-proto'] ?? ''
  const right = secure ? 'https' : 'http'
  if (scheme === right || scheme === right.replace('http', 'ws'))
    findings.ok('forwardedProto', `The proxy sets X-Forwarded-Proto to ${scheme}`)
  else {
    findings.warning(
      'forwardedProto',
      `The proxy sends ${scheme === '' ? 'no X-Forwarded-Proto' : `the X-Forwarded-Proto ${scheme}`}, which tlsOnly apps need`,
      `let it set X-Forwarded-Proto to ${right}`,
    )
  }
}

function passedOf({ url = '', headers, socket }: IncomingMessage, isUpgrade: boolean): Passed {
  const plain = Object.entries(headers).map(([name, value]) => [
    name,
    Array.isArray(value) ? value.join(',') : (value ?? ''),
  ])
  const peer = (socket.remoteAddress ?? '').replace(/^::ffff:/, '')
  return { path: url, peer, headers: Object.fromEntries(plain) as Record<string, string>, isUpgrade }
}

/** @returns undefined when the port cannot be had */
function listen(
  config: StandInConfig,
  saw: (request: IncomingMessage, isUpgrade: boolean) => void,
): Promise<Server | undefined> {
  const answer: RequestListener = (request, response) => {
    saw(request, false)
    response.writeHead(200, { 'Content-Type': 'text/plain' }).end('OK')
  }
  const { tls } = config
  const server =
    tls === undefined
      ? createServer(answer)
      : createTlsServer(
          {
            cert: readFileSync(tls.certFile),
            key: readFileSync(tls.keyFile),
            ...(tls.passphrase === undefined ? {} : { passphrase: tls.passphrase }),
          },
          answer,
        )
  server.on('upgrade', (request: IncomingMessage, socket: Socket) => {
    saw(request, true)
    socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n')
  })
  return new Promise((resolve) => {
    server.once('error', () => resolve(undefined))
    server.listen({ host: config.host, port: config.port, exclusive: true }, () => resolve(server))
  })
}

/** Resolves when it is over; how it ends does not matter. */
async function upgrade(address: Address, token: string): Promise<void> {
  const { WebSocket } = await import('ws')
  const socket = new WebSocket(`${originOf(address, 'ws')}${address.pathPrefix}/app/${token}`, {
    rejectUnauthorized: false,
  })
  await new Promise<void>((resolve) => {
    socket.on('error', () => resolve())
    socket.on('close', () => resolve())
    socket.on('open', () => socket.terminate())
  })
}
