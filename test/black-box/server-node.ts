/** A node as operators run it: `node dist/main.js start --config FILE`, seen from outside only. */
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readlinkSync, renameSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { residentBytes } from '../../bench/measure/process-cost.js'
import type { Target } from '../../bench/load/target.js'
import { endTogether, removeFolder, removeTogether } from '../harness/end-together.js'
import { localAddress } from './local-address.js'
import { Scrape } from './scrape.js'
import { until } from './waiting.js'

const builtProgram = join(import.meta.dirname, '..', '..', 'dist', 'main.js')
const host = '127.0.0.1'
const readyMs = 15_000
const endMs = 5000
const logLinesMax = 2000

export type AppCredentials = Target['app']

/** The app of scenarios that need only one. */
export const oneApp: AppCredentials = { id: 'one', key: 'faults-key', secret: 'faults-secret-of-one-app' }

export interface NodeOptions {
  /** The process may hold so many file descriptors. */
  readonly openFilesMax?: number
  /** Put before the program. */
  readonly nodeArguments?: readonly string[]
  /** Added to its environment, which is otherwise empty. */
  readonly environment?: Readonly<Record<string, string>>
  /** Another build's `main.js`. */
  readonly program?: string
}

export interface LogLine {
  readonly level: string
  readonly msg: string
  readonly text: string
}

export class ServerNode {
  readonly configFile: string
  /** The last ones. */
  readonly logLines: LogLine[] = []
  logBytes = 0
  /** Set when the process has ended. */
  exit: { readonly code: number | string; readonly atMs: number } | undefined
  port = 0
  metricsPort = 0
  readonly #child: ChildProcess
  #hasPrintedAll = false
  readonly #folder: string
  readonly #options: NodeOptions

  private constructor(folder: string, options: NodeOptions) {
    this.#folder = folder
    this.#options = options
    this.configFile = join(folder, 'belfry.json')
    const child = this.#spawn()
    this.#child = child
    for (const stream of [child.stdout, child.stderr]) {
      if (stream !== null) createInterface({ input: stream }).on('line', (line) => this.#log(line))
    }
    child.on('exit', (code, signal) => {
      this.exit = { code: code ?? signal ?? 'unknown', atMs: performance.now() }
    })
    child.on('close', () => (this.#hasPrintedAll = true))
    endTogether(child)
  }

  /** Resolves when it listens. @param tree the configuration file; ports are free ones unless named */
  static async start(tree: Readonly<Record<string, unknown>>, options: NodeOptions = {}): Promise<ServerNode> {
    const folder = mkdtempSync(join(tmpdir(), 'belfry-node-'))
    removeTogether(folder)
    writeTree(join(folder, 'belfry.json'), tree)
    return ServerNode.#listening(new ServerNode(folder, options))
  }

  /** Starts it again, when it has ended, with its configuration as it is now. @param options instead of those it had */
  again(options: NodeOptions = this.#options): Promise<ServerNode> {
    return ServerNode.#listening(new ServerNode(this.#folder, options))
  }

  static async #listening(node: ServerNode): Promise<ServerNode> {
    await until('the line that says it is ready', () => node.port !== 0 || node.exit !== undefined, readyMs)
    if (node.port !== 0) return node
    await until('its last lines', () => node.#hasPrintedAll, endMs)
    const printed = node.logLines.map(({ text }) => text).join('\n')
    throw new Error(`the node ended with ${node.exit?.code ?? ''}: ${printed}`)
  }

  #spawn(): ChildProcess {
    const { openFilesMax, nodeArguments = [], environment = {}, program = builtProgram } = this.#options
    if (!existsSync(program)) throw new Error(`${program} is missing: npm run build`)
    const command = [process.execPath, ...nodeArguments, program, 'start', '--config', this.configFile]
    const limit = openFilesMax === undefined ? '' : `ulimit -n ${openFilesMax}; `
    // The shell becomes the node, so that the process id and the signals are the node's.
    return spawn('/bin/sh', ['-c', `${limit}exec "$0" "$@"`, ...command], {
      stdio: ['ignore', 'pipe', 'pipe'],
      // Nothing of the environment of whoever runs this may configure the node.
      env: { PATH: process.env['PATH'] ?? '', NODE_ENV: 'production', ...environment },
    })
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  target(app: AppCredentials = oneApp): Target {
    return { host, port: this.port, app }
  }

  get url(): string {
    return `http://${host}:${this.port}`
  }

  get metricsUrl(): string {
    return `http://${host}:${this.metricsPort}`
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

  /** SIGSTOP: connections stay and nothing answers. */
  freeze(): void {
    this.#child.kill('SIGSTOP')
  }

  thaw(): void {
    this.#child.kill('SIGCONT')
  }

  async kill(): Promise<void> {
    if (this.exit === undefined) this.#child.kill('SIGKILL')
    await until('the end of the node', () => this.exit !== undefined, endMs)
  }

  /** Ends it and removes its folder. */
  async close(): Promise<void> {
    await this.kill()
    removeFolder(this.#folder)
  }

  /** The status of a GET on a fresh connection, or the error's code (ECONNREFUSED). */
  async status(path: string): Promise<number | string> {
    return (await read(this.port, path)).status
  }

  /** Whether it says that it is ready. */
  async ready(): Promise<boolean> {
    return (await this.status('/ready')) === 200
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
    this.logLines.push({ level: textOf(line['level']) ?? 'none', msg: textOf(line['msg']) ?? '', text })
    if (this.logLines.length > logLinesMax) this.logLines.shift()
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

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
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
