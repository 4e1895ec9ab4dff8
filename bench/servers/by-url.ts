/** A server that somebody else has started, here or on another machine. */
import { isIP } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import type { Scenario } from '../scenario.js'
import type { Peer } from './peer.js'
import { benchApp } from './server.js'

const clearedMs = 500

/** As in `--server url`. */
export const byUrlName = 'url'

/** What the command line says of it. */
export interface ByUrl {
  readonly host: string
  readonly port: number
  readonly app: { readonly id: string; readonly key: string; readonly secret: string }
  /** Root of its process tree, on this machine; without one, what it costs is not known. */
  readonly pid: number | undefined
}

export interface ByUrlOptions {
  readonly url?: string | undefined
  readonly id?: string | undefined
  readonly key?: string | undefined
  readonly secret?: string | undefined
  readonly pid?: string | undefined
}

/** Undefined without a URL. @throws Error in one sentence */
export function readByUrl({ url, id, key, secret, pid }: ByUrlOptions): ByUrl | undefined {
  if (url === undefined) {
    if ([id, key, secret, pid].some((value) => value !== undefined)) {
      throw new Error('--id, --key, --secret and --pid say what is at a --url, and there is none')
    }
    return undefined
  }
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed === undefined || !['ws:', 'http:'].includes(parsed.protocol) || parsed.pathname !== '/') {
    throw new Error('--url needs ws://HOST:PORT; TLS and a path are not understood')
  }
  if (pid !== undefined && !/^[1-9]\d*$/.test(pid)) throw new Error('--pid needs the number of a process')
  return {
    host: parsed.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: parsed.port === '' ? 80 : Number(parsed.port),
    app: { id: id ?? benchApp.id, key: key ?? benchApp.key, secret: secret ?? benchApp.secret },
    pid: pid === undefined ? undefined : Number(pid),
  }
}

/** It is neither started nor stopped: one run finds what the one before has left there. */
export function serverByUrl({ host, port, app, pid }: ByUrl): Peer {
  return {
    name: byUrlName,
    usesRedis: false,
    sendsWebhooks: false,
    costIsKnown: pid !== undefined,
    install: () => Promise.resolve(),
    lacks: (scenario) => lacks(scenario, host, pid),
    version: () => (pid === undefined ? 'without --pid: its cost is not measured' : `process ${pid}`),
    async start() {
      // The connections of the run before have been left to it.
      await wait(clearedMs)
      return {
        targets: [{ host, port, app }],
        parts: pid === undefined ? [] : [{ name: 'node', pid }],
        output: () => '',
        stop: () => Promise.resolve(),
      }
    },
  }
}

function lacks(
  { name, needsRedis, needsWebhooks }: Scenario,
  host: string,
  pid: number | undefined,
): string | undefined {
  if (needsWebhooks === true) return 'where its webhooks go is not said here'
  if (needsRedis === true) return 'its Redis cannot be looked into'
  if (/^(cluster|workers)-/.test(name)) return 'one URL is one node'
  if (name === 'idle') return pid === undefined ? 'without --pid there is nothing to measure' : 'it has been in use'
  // More connections than one address has ports come from several addresses of the loopback network.
  if (['hold', 'accept'].includes(name) && !isLoopback(host)) return 'so many connections need a server on this machine'
  return undefined
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || (isIP(host) === 4 && host.startsWith('127.'))
}
