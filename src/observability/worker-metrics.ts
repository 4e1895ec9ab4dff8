/** What the parent of several workers shows as its metrics page. */
import { Registry } from 'prom-client'
import { isLasting, mergeMetrics, metricsText, parseMetrics, type MergeableMetric } from './merged-metrics.js'
import { registerProcessMetrics } from './process-metrics.js'
import { registerCounter, registerGauge } from './sample-metrics.js'

const prefix = 'belfry_'
/** The parent's own name among the values of the label `worker`. */
const parentName = 'parent'

export interface WorkerMetricsOptions {
  /** Asks every worker that serves for its metrics as JSON; `each` is called at once for every answer that comes in time. */
  readonly ask: (each: (answered: { readonly index: number; readonly answer: string }) => void) => Promise<unknown>
  /** How many workers start, serve, and wait for their next start. */
  readonly counts: () => { readonly starting: number; readonly serving: number; readonly waiting: number }
  readonly restarts: () => number
}

/**
 * One page for all workers. A counter never steps back, because to Prometheus that would be a restart of all of them: a worker
 * that does not answer is in it with its last figures, and so is one that has ended. Gauges are of those that answered.
 */
export class WorkerMetrics {
  readonly contentType = Registry.PROMETHEUS_CONTENT_TYPE
  readonly #options: WorkerMetricsOptions
  readonly #registry = new Registry()
  /** The last page of each worker that has not ended. */
  readonly #pages = new Map<number, readonly MergeableMetric[]>()
  /** What the workers that have ended had counted. */
  #ended: readonly MergeableMetric[] = []
  #silent = 0
  #pending: Promise<readonly MergeableMetric[]> | undefined

  constructor(options: WorkerMetricsOptions) {
    this.#options = options
    registerGauge(this.#registry, {
      name: `${prefix}workers`,
      help: 'Workers by state; one that serves but did not answer within a second is silent.',
      labelNames: ['state'],
      read: () => this.#states(),
    })
    registerCounter(this.#registry, {
      name: `${prefix}worker_restarts_total`,
      help: 'Workers started in place of one that had ended.',
      labelNames: [],
      read: () => [{ labels: {}, value: options.restarts() }],
    })
    registerProcessMetrics(this.#registry, prefix)
  }

  /** Must be called when a worker has ended, before another one answers under its index. */
  ended(index: number): void {
    const page = this.#pages.get(index)
    if (page === undefined) return
    this.#pages.delete(index)
    this.#ended = mergeMetrics([
      { worker: '', metrics: this.#ended },
      { worker: '', metrics: page.filter(isLasting) },
    ])
  }

  async text(): Promise<string> {
    return metricsText(await this.#merged())
  }

  async json(): Promise<string> {
    return JSON.stringify(await this.#merged())
  }

  /** Callers who ask meanwhile share the answer. */
  #merged(): Promise<readonly MergeableMetric[]> {
    this.#pending ??= this.#merge().finally(() => {
      this.#pending = undefined
    })
    return this.#pending
  }

  async #merge(): Promise<readonly MergeableMetric[]> {
    const answered = new Set<number>()
    await this.#options.ask(({ index, answer }) => {
      answered.add(index)
      this.#pages.set(index, parseMetrics(answer))
    })
    const pages = [...this.#pages].sort(([one], [other]) => one - other)
    const workers = pages.map(([index, page]) => ({
      worker: String(index),
      metrics: answered.has(index) ? page : page.filter(isLasting),
    }))
    this.#silent = Math.max(0, this.#options.counts().serving - answered.size)
    const own = parseMetrics(JSON.stringify(await this.#registry.getMetricsAsJSON()))
    // What has ended stands last: the others say in which order the metrics come.
    return mergeMetrics([...workers, { worker: parentName, metrics: own }, { worker: '', metrics: this.#ended }])
  }

  #states(): { labels: { state: string }; value: number }[] {
    const { starting, serving, waiting } = this.#options.counts()
    const states = { serving: serving - this.#silent, silent: this.#silent, starting, waiting }
    return Object.entries(states).map(([state, value]) => ({ labels: { state }, value }))
  }
}
