/** Whether the two ports can be taken, and who has them otherwise. */
import { get as httpGet } from 'node:http'
import { get as httpsGet } from 'node:https'
import { createServer } from 'node:net'
import type { Config } from '../../config/schema.js'
import { originOf, reachableHost } from '../target.js'
import { Findings, type Finding } from './finding.js'

const answerMs = 3000
const answerBytesMax = 1_000_000

export interface PortsSeen {
  readonly findings: readonly Finding[]
  /** What the metrics port of a running Belfry tells of its limit of open files. */
  readonly filesMax: number | undefined
  /** Whether a Belfry serves the public port. */
  readonly isRunning: boolean
}

export async function lookAtPorts(config: Pick<Config, 'host' | 'port' | 'tls' | 'metrics'>): Promise<PortsSeen> {
  const findings = new Findings('ports')
  const { metrics } = config
  const origin = originOf(
    { host: reachableHost(config.host), port: config.port, secure: config.tls !== undefined, pathPrefix: '' },
    'http',
  )
  const metricsOrigin = originOf(
    { host: reachableHost(metrics.host), port: metrics.port, secure: false, pathPrefix: '' },
    'http',
  )
  const isRunning = await look(findings, 'public', 'port', config.host, config.port, () => publicOwner(origin))
  let page = ''
  if (metrics.enabled) {
    await look(findings, 'metrics', 'metrics.port', metrics.host, metrics.port, async () => {
      page = (await ask(`${metricsOrigin}/metrics`)).body
      return metricsOwner(page)
    })
  }
  return { findings: findings.list, filesMax: filesMaxOf(page), isRunning }
}

/** Who answers on a port, if it is a Belfry: the end of a sentence. */
type Owner = string | undefined

/** @returns whether a Belfry has it */
async function look(
  findings: Findings,
  name: 'public' | 'metrics',
  key: string,
  host: string,
  port: number,
  owner: () => Promise<Owner>,
): Promise<boolean> {
  if (port === 0) {
    findings.note(name, `The ${name} port is 0, any free one`)
    return false
  }
  const code = await listenError(host, port)
  if (code === undefined) {
    findings.ok(name, `The ${name} port ${port} on ${host} is free, so no server runs here`)
    return false
  }
  const found = code === 'EADDRINUSE' ? await owner() : undefined
  if (found !== undefined) {
    findings.ok(name, `The ${name} port ${port} on ${host} is served by ${found}`)
    return true
  }
  findings.failed(name, `The ${name} port ${port} on ${host} cannot be used (${code})`, remedyFor(code, key))
  return false
}

function remedyFor(code: string, key: string): string {
  switch (code) {
    case 'EADDRINUSE':
      return `something that is no Belfry has it, so stop that (\`ss -ltnp\` names it) or set ${key} to another`
    case 'EACCES':
      return `ports below 1024 need rights of their own, so set ${key} to one above, or grant CAP_NET_BIND_SERVICE`
    case 'EADDRNOTAVAIL':
      return 'this machine has no such address, so set host to one it has, or to 0.0.0.0'
    default:
      return `correct host and ${key}`
  }
}

/** Takes the port alone for a moment. @returns the system's code when that fails */
function listenError(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error) => resolve('code' in error ? String(error.code) : error.message))
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)))
  })
}

/** A Belfry answers the statistics of old clients in this way, and hardly anything else does. */
async function publicOwner(origin: string): Promise<Owner> {
  const { status, body } = await ask(`${origin}/timeline/v2/belfry-doctor`)
  if (status !== 200 || body !== '{}') return undefined
  const ready = await ask(`${origin}/ready`)
  return `a Belfry that is ${ready.status === 200 ? 'ready' : `not ready (${ready.body.trim()})`}`
}

function metricsOwner(page: string): Owner {
  const info = /^belfry_build_info\{([^}]*)\}/m.exec(page)?.[1]
  return info === undefined ? undefined : `Belfry ${/version="([^"]*)"/.exec(info)?.[1] ?? ''}`.trim()
}

/** The lowest of all processes. */
function filesMaxOf(page: string): number | undefined {
  const limits = [...page.matchAll(/^belfry_process_max_fds(?:\{[^}]*\})? (\d+)/gm)].map(([, limit]) => Number(limit))
  return limits.length === 0 ? undefined : Math.min(...limits)
}

/** Status 0 when nothing that speaks HTTP answers. */
function ask(url: string): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve) => {
    const fail = () => resolve({ status: 0, body: '' })
    // The certificate carries the public name, not that of the loopback.
    const request = url.startsWith('https:') ? httpsGet(url, { rejectUnauthorized: false }) : httpGet(url)
    const timer = setTimeout(() => request.destroy(), answerMs)
    request.on('close', () => {
      clearTimeout(timer)
      fail()
    })
    request.on('error', fail)
    request.on('response', (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (part: string) => {
        if (body.length < answerBytesMax) body += part
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
      response.on('error', fail)
    })
  })
}
