import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { eventually } from './eventually.js'

const program = fileURLToPath(new URL('../../dist/main.js', import.meta.url))
/** Of the lines that come while it runs, the last ones are kept. */
const logLinesMax = 1000

export interface ProcessLogLine {
  readonly level: string
  readonly msg: string
  readonly text: string
}

/** A server as operators run it: `node dist/main.js start --config FILE`, on free ports. `npm run build` comes first. */
export class ServerProcess {
  readonly #child: ChildProcess
  readonly logLines: ProcessLogLine[] = []
  logBytes = 0
  /** Set when the process has ended: its exit code, or the signal. */
  exit: number | string | undefined
  port = 0
  metricsUrl = ''

  private constructor(child: ChildProcess, folder: string) {
    this.#child = child
    for (const stream of [child.stdout, child.stderr]) {
      if (stream !== null) createInterface({ input: stream }).on('line', (line) => this.#log(line))
    }
    child.on('exit', (code, signal) => {
      this.exit = code ?? signal ?? 'unknown'
      rmSync(folder, { recursive: true, force: true })
    })
  }

  /** @param tree the configuration file; ports are free ones unless named */
  static async start(tree: Readonly<Record<string, unknown>>): Promise<ServerProcess> {
    const folder = mkdtempSync(join(tmpdir(), 'belfry-test-'))
    const file = join(folder, 'belfry.json')
    writeFileSync(file, JSON.stringify({ host: '127.0.0.1', port: 0, metrics: { port: 0 }, ...tree }))
    const flags = ['--log-format', 'json']
    const child = spawn(process.execPath, [program, 'start', '--config', file, ...flags], {
      stdio: ['ignore', 'pipe', 'pipe'],
      // Nothing of the environment of whoever runs the tests may configure the server.
      env: { PATH: process.env['PATH'] ?? '' },
    })
    const server = new ServerProcess(child, folder)
    await eventually('the line that says it is ready', () => server.port !== 0 || server.exit !== undefined, 15_000)
    if (server.port === 0) {
      throw new Error(
        `the server ended with ${server.exit ?? ''}: ${server.logLines.map((line) => line.text).join('\n')}`,
      )
    }
    return server
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** Resident memory in bytes. */
  rssBytes(): number {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8')
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024
  }

  /** The lines of a level among the last ones. */
  at(level: string): string[] {
    return this.logLines.filter((line) => line.level === level).map((line) => line.text)
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Ends it at once. */
  async stop(): Promise<void> {
    if (this.exit === undefined) this.#child.kill('SIGKILL')
    await eventually('the end of the server', () => this.exit !== undefined)
  }

  #log(text: string): void {
    this.logBytes += text.length + 1
    const line = parseLine(text)
    this.logLines.push({ level: textOf(line['level']) ?? 'none', msg: textOf(line['msg']) ?? '', text })
    if (this.logLines.length > logLinesMax) this.logLines.shift()
    if (this.port !== 0 || typeof line['port'] !== 'number') return
    this.metricsUrl = (textOf(line['metrics']) ?? '').replace(/\/metrics$/, '')
    this.port = line['port']
  }
}

/** What is no JSON, as a crash of Node itself writes it, has no fields. */
function parseLine(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch (_notJson) {
    return {}
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
