/**
 * With BELFRY_TEST_WORKERS=2 the suites that start a `TestServer` get one of so many processes on one port (`npm run test:workers`):
 * `node dist/main.js` with `workers` and a real redis-server, which all servers of a test file share under prefixes of their own.
 */
import { ServerNode } from '../black-box/server-node.js'
import { eventually } from './eventually.js'
import { RedisServer } from './redis-server.js'
import type { Running, Settings } from './test-server.js'

/** How many workers the environment asks for; 1 = the server in this process. */
export const testWorkers = Number(process.env['BELFRY_TEST_WORKERS'] ?? 1)

const drainMs = 30_000

let redis: Promise<RedisServer> | undefined
let servers = 0

/** @param tree a configuration file without ports, workers and Redis */
export async function startWorkersServer(tree: Settings): Promise<Running> {
  // It ends with this process.
  redis ??= RedisServer.start()
  const { url } = await redis
  servers += 1
  const whole = { ...tree, workers: testWorkers, redis: { url, prefix: `test-${servers}` } }
  const node = await ServerNode.start(whole)
  return new WorkersServer(node, whole)
}

class WorkersServer implements Running {
  readonly #node: ServerNode
  readonly #tree: Settings

  constructor(node: ServerNode, tree: Settings) {
    this.#node = node
    this.#tree = tree
  }

  get port(): number {
    return this.#node.port
  }

  get metricsPort(): number {
    return this.#node.metricsPort
  }

  async replaceApps(apps: readonly Settings[]): Promise<void> {
    const readings = this.#readings()
    this.#node.writeConfig({ ...this.#tree, apps })
    this.#node.signal('SIGHUP')
    await eventually('the apps are read', () => this.#readings() > readings)
  }

  async drainAndStop(): Promise<void> {
    this.#node.signal('SIGTERM')
    await eventually('the end', () => this.#node.exit !== undefined, drainMs)
    const code = this.#node.exit?.code
    if (code !== 0) throw new Error(`the drain ended with ${code ?? ''}`)
    await this.#node.close()
  }

  async stop(): Promise<void> {
    // Two signals end all workers at once; SIGKILL would let them close their clients first.
    if (this.#node.exit === undefined) for (const signal of ['SIGTERM', 'SIGINT'] as const) this.#node.signal(signal)
    await eventually('the end', () => this.#node.exit !== undefined, drainMs)
    await this.#node.close()
  }

  #readings(): number {
    return this.#node.logLines.filter(({ msg }) => msg.startsWith('configuration read')).length
  }
}
