/** A proxy in the foreground, with its helpers a process group of its own: all of it ends with this process, however that ends. */
import { spawn, type ChildProcess } from 'node:child_process'
import { chmodSync, mkdtempSync } from 'node:fs'
import { connect, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { removeFolder, removeTogether } from '../harness/end-together.js'
import { eventually } from '../harness/eventually.js'

const startMs = 10_000
const endMs = 5000
/** Without a line before its end, the group goes as well. nginx and HAProxy leave their workers behind when only the master is killed. */
const guardScript = 'read -r closed || kill -9 -- "-$0"'

export class ProxyProcess {
  readonly #child: ChildProcess
  readonly #guard: Socket | undefined
  #log = ''
  #ended = false

  private constructor(program: string, args: readonly string[]) {
    this.#child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true })
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (chunk: Buffer) => (this.#log += chunk.toString()))
    }
    this.#child.once('error', (error) => {
      this.#log += error.message
      this.#ended = true
    })
    this.#child.once('exit', () => (this.#ended = true))
    this.#guard = this.#child.pid === undefined ? undefined : startGuard(this.#child.pid)
  }

  /** Resolves when it listens on the port. @throws Error with what it printed when it does not start */
  static async start(program: string, args: readonly string[], port: number): Promise<ProxyProcess> {
    const proxy = new ProxyProcess(program, args)
    await eventually(`${program} listens`, async () => proxy.#ended || (await listens(port)), startMs)
    if (!proxy.#ended) return proxy
    await proxy.close()
    throw new ProxyDidNotStart(`${program} ended: ${proxy.#log}`)
  }

  /** What it printed. */
  get log(): string {
    return this.#log
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  async close(): Promise<void> {
    if (!this.#ended && this.#child.pid !== undefined) process.kill(-this.#child.pid, 'SIGKILL')
    await eventually('the end of the proxy', () => this.#ended, endMs)
    this.#guard?.end('closed\n')
  }
}

export class ProxyDidNotStart extends Error {}

/** A folder that is gone with this process, and that a proxy's workers may enter whoever they run as. */
export function proxyFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'belfry-proxy-'))
  chmodSync(path, 0o755)
  removeTogether(path)
  return { path, remove: () => removeFolder(path) }
}

function startGuard(group: number): Socket {
  const shell = spawn('/bin/sh', ['-c', guardScript, String(group)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  if (!(shell.stdin instanceof Socket)) throw new Error('the guard has no pipe')
  shell.unref()
  shell.stdin.unref()
  shell.stdin.on('error', () => undefined)
  return shell.stdin
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.once('connect', () => resolve(true))
    socket.once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}
