import { readFileSync } from 'node:fs'
import { networkInterfaces, totalmem } from 'node:os'
import { randomBytes } from 'node:crypto'
import { lookup } from 'node:dns/promises'
import { resolve } from 'node:path'
import { systemClock } from '../../base/clock.js'
import { loadConfig, type LoadedConfig } from '../../config/load.js'
import { readRedisTls } from '../../config/redis-tls.js'
import type { Config } from '../../config/schema.js'
import { openFilesMax } from '../../observability/open-files.js'
import { memoryLimitBytes } from '../../observability/process-memory.js'
import { readTextFile } from '../../observability/read-text-file.js'
import { Redactor } from '../../observability/redact.js'
import { workerCount } from '../../workers/worker-count.js'
import { CommandError, type Call, type Console } from '../command.js'
import { configurationInput } from '../configuration.js'
import { readCredentials } from '../dev-app.js'
import { Findings, isWell, jsonOf, lineOf, summaryOf, type Finding } from './finding.js'
import { machineFindings, proxyFindings } from './machine-findings.js'
import { lookAtPorts } from './ports.js'
import { publicAddressOf } from './public-address.js'
import { publicFindings } from './public-findings.js'
import { redisFindings } from './redis-findings.js'
import { judgeByStandIn } from './stand-in.js'
import { tlsFindings } from './tls-findings.js'
import { hideSecrets } from '../hide-secrets.js'
import { identityFor, isLocal, type Address, type Identity } from '../target.js'

const waitSecondsMax = 3600

/** One look at everything; what it finds is printed as it goes. */
export class Doctor {
  readonly #call: Call
  readonly #console: Console
  readonly #isJson: boolean
  readonly #colour: boolean
  readonly #redactor = new Redactor()
  readonly #findings: Finding[] = []
  readonly #address: Address | undefined
  readonly #waitMs: number | undefined

  /** @throws CommandError (2) when the call makes no sense */
  constructor(call: Call, console: Console) {
    this.#call = configurationOfApp(call)
    this.#console = console
    this.#isJson = call.flags['json'] !== undefined
    this.#colour = console.isTerminal && console.environment['NO_COLOR'] === undefined
    const { url, wait, secret } = call.flags
    this.#address = url === undefined ? undefined : publicAddressOf(url)
    this.#waitMs = wait === undefined ? undefined : waitMsOf(wait)
    const needsUrl = this.#waitMs !== undefined ? '--wait' : call.flags['stand-in'] !== undefined ? '--stand-in' : ''
    if (url === undefined && needsUrl !== '') {
      throw new CommandError(`${needsUrl} looks at a proxy: give its address by --url.`, 2)
    }
    if (secret !== undefined) this.#redactor.addSecret(secret)
  }

  async examine(): Promise<void> {
    const loaded = this.#load()
    const config = loaded?.config
    if (config !== undefined) await this.#examineMachine(config)
    if (this.#address !== undefined) await this.#examineAddress(this.#address, config)
  }

  /** @returns the exit code */
  end(): number {
    if (this.#isJson) this.#console.print(jsonOf(this.#findings))
    else this.#console.print(`\n${summaryOf(this.#findings)}`)
    return isWell(this.#findings) ? 0 : 1
  }

  #tell(findings: readonly Finding[]): void {
    for (const finding of findings) {
      const { text, remedy } = finding
      const clean = {
        ...finding,
        text: this.#redactor.text(text),
        remedy: remedy === undefined ? undefined : this.#redactor.text(remedy),
      }
      this.#findings.push(clean)
      if (!this.#isJson) this.#console.print(lineOf(clean, this.#colour))
    }
  }

  #load(): LoadedConfig | undefined {
    const findings = new Findings('config')
    const { 'app-id': id, key, secret } = this.#call.flags
    const given = id === undefined || key === undefined || secret === undefined ? undefined : { id, key, secret }
    const input = configurationInput(this.#call, this.#console)
    const loaded = loadConfig({ ...input, appWhenNone: () => given ?? readCredentials(this.#console.directory) })
    if (loaded.ok) {
      hideSecrets(this.#redactor, loaded.config)
      const count = loaded.config.apps.length
      const from = input.file === undefined ? 'flags and environment' : input.file
      findings.ok('valid', `The configuration is valid (${from}, ${count} ${count === 1 ? 'app' : 'apps'})`)
      for (const { level, message } of loaded.notes) if (level === 'warn') findings.advice('advice', message)
    } else for (const error of loaded.errors) findings.failedSentence('valid', error)
    this.#tell(findings.list)
    return loaded.ok ? loaded : undefined
  }

  async #examineMachine(config: Config): Promise<void> {
    const ports = await lookAtPorts(config)
    const filesMax = ports.filesMax ?? openFilesMax()
    this.#tell(
      machineFindings(config, {
        filesMax,
        filesOf: ports.filesMax === undefined ? 'here' : 'server',
        memoryBytes: memoryLimitBytes({ read: readTextFile, machineBytes: totalmem }),
        workers: workerCount(config.workers),
      }),
    )
    this.#tell(ports.findings)
    this.#examineCertificates(config)
    await this.#examineRedis(config.redis)
    const behindProxy = this.#address === undefined ? undefined : await isElsewhere(this.#address, config)
    this.#tell(proxyFindings(config, behindProxy))
  }

  #examineCertificates({ tls, redis }: Config): void {
    const readText = (file: string) => readFileSync(resolve(file), 'utf8')
    const now = systemClock.nowMs()
    const own = redis?.tls
    if (tls !== undefined) {
      const host = this.#address?.secure === true ? this.#address.host : undefined
      this.#tell(tlsFindings({ key: 'tls', ...tls, passphrase: tls.passphrase, host }, readText, now))
    }
    if (own?.certFile !== undefined && own.keyFile !== undefined) {
      const { certFile, keyFile } = own
      const files = { key: 'redis.tls', certFile, keyFile, passphrase: undefined, host: undefined }
      this.#tell(tlsFindings(files, readText, now))
    }
  }

  async #examineRedis(redis: Config['redis']): Promise<void> {
    const findings = new Findings('redis')
    if (redis === undefined) {
      findings.note(
        'configuration',
        'Redis is not configured, so this server is one node that keeps its state in memory',
      )
      this.#tell(findings.list)
      return
    }
    const { mode, url, nodes, sentinelName, sentinelPassword, prefix } = redis
    try {
      const tls = redis.tls === undefined ? undefined : readRedisTls(redis.tls, (file) => readFileSync(file, 'utf8'))
      // Loaded only here, because the Redis library takes memory and time.
      const { examineRedis } = await import('../../backend/redis/examine.js')
      const nodeId = `doctor-${randomBytes(4).toString('hex')}`
      const options = { mode, url, nodes, sentinelName, sentinelPassword, tls, prefix, nodeId, clock: systemClock }
      this.#tell(redisFindings(await examineRedis(options)))
    } catch (error) {
      findings.failedSentence('tls', error instanceof Error ? error.message : String(error))
      this.#tell(findings.list)
    }
  }

  async #examineAddress(address: Address, config: Config | undefined): Promise<void> {
    const findings = new Findings('public')
    if (this.#call.flags['stand-in'] !== undefined) {
      if (config !== undefined) await judgeByStandIn(findings, config, address)
      this.#tell(findings.list)
      return
    }
    this.#tell(
      await publicFindings({
        address,
        identity: this.#identity(),
        config,
        waitMs: this.#waitMs,
        nowMs: () => systemClock.nowMs(),
      }),
    )
    findings.note(
      'forwardedFor',
      'Whose address the server takes a client for cannot be seen from outside',
      'stop the server and add --stand-in to see what the proxy passes on',
    )
    this.#tell(findings.list)
  }

  #identity(): Identity | undefined {
    try {
      return identityFor(this.#call, this.#console)
    } catch (error) {
      if (error instanceof CommandError) return undefined
      throw error
    }
  }
}

/** With `--app-key` or `--app-secret`, which are keys of the configuration, `--app-id` is one too. */
function configurationOfApp(call: Call): Call {
  const { 'app-id': id } = call.flags
  const describesApp = 'app-key' in call.configuration || 'app-secret' in call.configuration
  if (id === undefined || !describesApp) return call
  return { ...call, configuration: { ...call.configuration, 'app-id': id } }
}

function waitMsOf(text: string): number {
  if (/^\d{1,4}$/.test(text) && Number(text) >= 1 && Number(text) <= waitSecondsMax) return Number(text) * 1000
  throw new CommandError(`--wait ${text} is no time to wait: give whole seconds from 1 to ${waitSecondsMax}.`, 2)
}

/** Whether the public address is not that of the server's own listener, so that something is in front of it. */
async function isElsewhere({ host, port }: Address, config: Pick<Config, 'port'>): Promise<boolean> {
  if (port !== config.port) return true
  if (isLocal(host)) return false
  const own = new Set(
    Object.values(networkInterfaces()).flatMap((entries) => (entries ?? []).map(({ address }) => address)),
  )
  try {
    return !own.has((await lookup(host)).address)
  } catch {
    // The name is judged elsewhere.
    return true
  }
}
