/** A node as operators run it: `node dist/main.js start --config FILE`, seen from outside only. */
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, readdirSync, readlinkSync, renameSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { residentBytes } from '../../bench/measure/process-cost.js'
import type { Target } from '../../bench/load/target.js'
import { localAddress } from './local-address.js'
import { Scrape } from './scrape.js'
import { until } from './waiting.js'

const program = join(import.meta.dirname, '..', '..', 'dist', 'main.js')
const host = '127.0.0.1'
const readyMs = 15_000
const endMs = 5000
/** Of the log, lines above debug are kept up to a bound. */
const logLinesMax = 2000

export type AppCredentials = Target['app']

/** The app of scenarios that need only one. */
export const oneApp: AppCredentials = { id: 'one', key: 'faults-key', secret: 'faults-secret-of-one-app' }

export interface NodeOptions {
  /** The process may hold so many file descriptors. */
  readonly openFilesMax?: number
  /** Put before the program. */
  readonly nodeArguments?: readonly string[]
}

export interface LogLine {
  readonly level: string
  readonly text: string
}

export class ServerNode {
  readonly configFile: string
  readonly logLines: LogLine[] = []
  logBytes = 0
  /** Set when the process has ended. */
  exit: { readonly code: number | string; readonly atMs: number } | undefined
  port = 0
  metricsPort = 0
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, configFile: string) {
    this.#child = child
    this.configFile = configFile
    for (const stream of [child.stdout, child.stderr]) {
      if (stream !== null) createInterface({ input: stream }).on('line', (line) => this.#log(line))
    }
    child.on('exit', (code, signal) => {
      this.exit = { code: code ?? signal ?? 'unknown', atMs: performance.now() }
    })
  }

  /** @param tree the configuration file; ports are free ones unless named */
  static async start(
    folder: string,
    tree: Readonly<Record<string, unknown>>,
    { openFilesMax, nodeArguments = [] }: NodeOptions,
  ): Promise<ServerNode> {
    if (!existsSync(program)) throw new Error('dist/main.js is missing: npm run build')
    const configFile = join(folder, 'belfry.json')
    writeTree(configFile, tree)
    const command = [process.execPath, ...nodeArguments, program, 'start', '--config', configFile]
    const limit = openFilesMax === undefined ? '' : `ulimit -n ${openFilesMax}; `
    // The shell becomes the node, so that the process id and the signals are the node's.
    const child = spawn('/bin/sh', ['-c', `${limit}exec "$0" "$@"`, ...command], {
      stdio: ['ignore', 'pipe', 'pipe'],
      // Nothing of the environment of whoever runs this may configure the node.
      env: { PATH: process.env['PATH'] ?? '', NODE_ENV: 'production' },
    })
    const killAlong = () => child.kill('SIGKILL')
    process.once('exit', killAlong)
    child.once('exit', () => process.removeListener('exit', killAlong))
    const node = new ServerNode(child, configFile)
    await until('the line that says it is ready', () => node.port !== 0 || node.exit !== undefined, readyMs)
    if (node.port === 0) {
      throw new Error(
        `the node ended with ${node.exit?.code ?? ''}: ${node.logLines.map(({ text }) => text).join('\n')}`,
      )
    }
    return node
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  target(app: AppCredentials = oneApp): Target {
    return { host, port: this.port, app }
  }

  /** Takes the place of the configuration file in one step. */
  writeConfig(tree: Readonly<Record<string, unknown>>): void {
    writeTree(this.configFile, tree)
  }

  /** As writeConfig(), with a text that may be none of a configuration. */
  writeConfigText(text: string): void {
    replaceFile(this.configFile, text)
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  async kill(): Promise<void> {
    if (this.exit === undefined) this.#child.kill('SIGKILL')
    await until('the end of the node', () => this.exit !== undefined, endMs)
  }

  /** The status of a GET on a fresh connection, or the error's code (ECONNREFUSED). */
  async status(path: string): Promise<number | string> {
    return (await read(this.port, path)).status
  }

  async scrape(): Promise<Scrape> {
    const { status, text } = await read(this.metricsPort, '/metrics')
    if (status !== 200) throw new Error(`the metrics port answered ${status}`)
    return new Scrape(text)
  }

  rssBytes(): number {
    return residentBytes([this.pid])
  }

  /** Descriptors the process holds now, and how many of them are sockets. */
  openFiles(): { readonly all: number; readonly sockets: number } {
    const folder = `/proc/${this.pid}/fd`
    let all = 0
    let sockets = 0
    for (const entry of readdirSync(folder)) {
      all += 1
      if (linkOf(`${folder}/${entry}`).startsWith('socket:')) sockets += 1
    }
    return { all, sockets }
  }

  /** The lines of a level that it has logged. */
  at(level: string): string[] {
    return this.logLines.filter((line) => line.level === level).map((line) => line.text)
  }

  #log(text: string): void {
    this.logBytes += Buffer.byteLength(text) + 1
    const line = parseLine(text)
    const level = typeof line['level'] === 'string' ? line['level'] : 'none'
    if (this.logLines.length < logLinesMax) this.logLines.push({ level, text })
    if (this.port !== 0 || typeof line['port'] !== 'number') return
    this.metricsPort = metricsPortOf(line['metrics'])
    this.port = line['port']
  }
}

function writeTree(file: string, tree: Readonly<Record<string, unknown>>): void {
  const log = { level: 'info', format: 'json' }
  const whole = { host, port: 0, metrics: { port: 0 }, log, ...tree }
  replaceFile(file, JSON.stringify(whole, undefined, 2))
}

/** A new file under the old name: nobody sees half of it. */
export function replaceFile(file: string, text: string): void {
  writeFileSync(`${file}.new`, text)
  renameSync(`${file}.new`, file)
}

/** One GET on a fresh connection. */
function read(port: number, path: string): Promise<{ status: number | string; text: string }> {
  return new Promise((resolve) => {
    const options = { host, port, path, localAddress: localAddress(), agent: false, timeout: 5000 }
    const request = get(options, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (part: string) => (text += part))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
    })
    request.on('timeout', () => request.destroy())
    request.on('error', (error: NodeJS.ErrnoException) => resolve({ status: error.code ?? error.message, text: '' }))
  })
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch (_closedMeanwhile) {
    return ''
  }
}

function metricsPortOf(address: unknown): number {
  return typeof address === 'string' ? Number(/:(\d+)\/metrics$/.exec(address)?.[1] ?? 0) : 0
}

/** What is no JSON, as a crash of Node itself writes it, has no fields. */
function parseLine(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch (_notJson) {
    return {}
  }
}
