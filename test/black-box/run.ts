import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { removeFolder, removeTogether } from '../harness/end-together.js'
import type { Mode } from './scenario.js'
import { ServerNode, type NodeOptions } from './server-node.js'
import { ms } from './waiting.js'
import { WireClient, type ClientOptions } from './wire-client.js'
import type { Target } from '../../bench/load/target.js'

export interface Row {
  readonly name: string
  readonly measured: string
  readonly wanted: string
  /** Undefined for a figure that nothing is demanded of. */
  readonly holds: boolean | undefined
  /** Whether a machine that does other things too is enough to make it fail. */
  readonly timed: boolean
}

/** Connections being opened at the same time. */
const openingMax = 32

/** Messages of the nodes that are shown when a scenario fails. */
const complaintsMax = 20

/** One play of a scenario: what it measured, and everything that must end with it. */
export class Run {
  readonly mode: Mode
  readonly rows: Row[] = []
  readonly notes: string[] = []
  /** Set when the scenario cannot run on this machine. */
  skipped: string | undefined
  readonly #nodes: ServerNode[] = []
  readonly #cleanups: (() => void | Promise<void>)[] = []

  constructor(mode: Mode) {
    this.mode = mode
  }

  /** The value for this mode. */
  pick<Value>(fast: Value, normal: Value, long: Value = normal): Value {
    return { fast, normal, long }[this.mode]
  }

  check(
    name: string,
    measured: string | number,
    wanted: string | number,
    holds: boolean,
    { timed = false }: { readonly timed?: boolean } = {},
  ): void {
    this.rows.push({ name, measured: String(measured), wanted: String(wanted), holds, timed })
  }

  /** A criterion of the form "exactly so many". */
  equal(name: string, measured: string | number, wanted: string | number): void {
    this.check(name, measured, wanted, measured === wanted)
  }

  /**
   * A limit of time: what fails it may have been the machine.
   *
   * @param tookMs undefined when it did not happen while it was waited for; NaN, when nothing was measured, is not a matter of time
   */
  inTime(name: string, tookMs: number | undefined, limitMs: number, wanted = `≤ ${ms(limitMs)}`): void {
    const holds = tookMs !== undefined && tookMs <= limitMs
    this.check(name, ms(tookMs), wanted, holds, { timed: !Number.isNaN(tookMs) })
  }

  /** The same for a state that was waited for well beyond the limit: it may come late, but never (or Infinity) is wrong. */
  reached(name: string, tookMs: number | undefined, limitMs: number, wanted = `≤ ${ms(limitMs)}`): void {
    const holds = tookMs !== undefined && tookMs <= limitMs
    this.check(name, ms(tookMs), wanted, holds, { timed: Number.isFinite(tookMs) })
  }

  figure(name: string, measured: string | number): void {
    this.rows.push({ name, measured: String(measured), wanted: '', holds: undefined, timed: false })
  }

  /** A line below the table: what helps to understand a failure. */
  note(line: string): void {
    this.notes.push(line)
  }

  /** Runs at the end, whatever happened; the last one registered first. */
  onEnd(cleanup: () => void | Promise<void>): void {
    this.#cleanups.push(cleanup)
  }

  folder(): string {
    const folder = mkdtempSync(join(tmpdir(), 'belfry-faults-'))
    removeTogether(folder)
    this.onEnd(() => removeFolder(folder))
    return folder
  }

  async startNode(tree: Readonly<Record<string, unknown>>, options: NodeOptions = {}): Promise<ServerNode> {
    return this.keep(await ServerNode.start(tree, options))
  }

  /** Ends the node with the scenario; what it complained of is shown when the scenario fails. */
  keep(node: ServerNode): ServerNode {
    this.#nodes.push(node)
    this.onEnd(() => node.close())
    return node
  }

  /** What the nodes have warned of, each message with how often and its last line. */
  complaints(): string[] {
    const counts = new Map<string, { count: number; last: string }>()
    for (const { logLines } of this.#nodes) {
      for (const { level, msg, text } of logLines) {
        if (level === 'info' || level === 'debug') continue
        const name = msg === '' ? text : msg
        counts.set(name, { count: (counts.get(name)?.count ?? 0) + 1, last: text })
      }
    }
    return [...counts.values()].slice(0, complaintsMax).map(({ count, last }) => `${count} × ${last.slice(0, 400)}`)
  }

  /** A client that ends with the scenario, after its handshake. */
  async client(target: Target, options: ClientOptions = {}): Promise<WireClient> {
    const client = new WireClient(target, options)
    this.onEnd(() => client.destroy())
    await client.connected
    return client
  }

  /** So many clients, each prepared (subscribed, as a rule), in their order. */
  async clients(
    count: number,
    target: Target,
    prepare: (client: WireClient, index: number) => Promise<unknown>,
    options: ClientOptions = {},
  ): Promise<WireClient[]> {
    const clients: WireClient[] = new Array<WireClient>(count)
    let next = 0
    const lane = async () => {
      for (let index = next++; index < count; index = next++) {
        const client = await this.client(target, options)
        clients[index] = client
        await prepare(client, index)
      }
    }
    await Promise.all(Array.from({ length: openingMax }, lane))
    return clients
  }

  async cleanUp(): Promise<void> {
    for (const cleanup of this.#cleanups.reverse()) await cleanup()
  }
}
