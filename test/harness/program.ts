/**
 * The program as an operator calls it, `node dist/main.js …`, with everything it prints. For tests about the command line and the
 * whole process; what only needs a server takes TestServer.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { endTogether } from './end-together.js'
import { eventually } from './eventually.js'

const main = join(import.meta.dirname, '../../dist/main.js')
const readyMs = 20_000
const endMs = 30_000

export interface ProgramOptions {
  readonly directory: string
  /** Besides PATH, all of its environment. */
  readonly environment?: Readonly<Record<string, string>>
}

export class Program {
  /** Standard output and error, together. */
  printed = ''
  /** Undefined while it runs; the signal's name when one ended it. */
  exitCode: number | string | undefined
  readonly #child: ChildProcess

  private constructor(argv: readonly string[], { directory, environment = {} }: ProgramOptions) {
    if (!existsSync(main)) throw new Error(`${main} is missing: npm run build`)
    this.#child = spawn(process.execPath, [main, ...argv], {
      cwd: directory,
      // Nothing of the environment of whoever runs the tests may configure it.
      env: { PATH: process.env['PATH'] ?? '', ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (this.printed += text))
    }
    this.#child.once('close', (code, signal) => (this.exitCode = code ?? signal ?? 'unknown'))
    endTogether(this.#child)
  }

  /** A call that ends by itself, when it has. */
  static async run(argv: readonly string[], options: ProgramOptions): Promise<Program> {
    const program = new Program(argv, options)
    await eventually(`the end of ${argv.join(' ')}`, () => program.exitCode !== undefined, endMs)
    return program
  }

  /** A server, when it listens. @throws Error with what it printed when it does not */
  static async serve(argv: readonly string[], options: ProgramOptions): Promise<Program> {
    const program = new Program(argv, options)
    await eventually(
      'the line that says it is ready',
      () => program.exitCode !== undefined || program.#ready !== undefined,
      readyMs,
    )
    if (program.exitCode !== undefined) throw new Error(`it ended with ${program.exitCode}:\n${program.printed}`)
    return program
  }

  get port(): number {
    return Number(this.#ready?.['port'])
  }

  get metricsPort(): number {
    return Number(/:(\d+)\/metrics/.exec(String(this.#ready?.['metrics']))?.[1])
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  async stop(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (this.exitCode === undefined) this.#child.kill(signal)
    await eventually('the end of the program', () => this.exitCode !== undefined, endMs)
  }

  /** The fields of the line that names the port. */
  get #ready(): Readonly<Record<string, unknown>> | undefined {
    for (const line of this.printed.split('\n')) {
      if (!line.startsWith('{') || !line.includes('"port":')) continue
      const fields = fieldsOf(line)
      if (typeof fields?.['port'] === 'number') return fields
    }
    return undefined
  }
}

function fieldsOf(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return JSON.parse(line) as Readonly<Record<string, unknown>>
  } catch (_cutOff) {
    return undefined
  }
}
