import { stat, opendir } from 'node:fs/promises'
import { collectDefaultMetrics, Gauge, type Registry } from 'prom-client'

const descriptorsFolder = '/proc/self/fd'
/** So rare that it never fires between two scrapes; see below. */
const neverMs = 3_600_000
const delayStatistics = ['min', 'max', 'mean', 'stddev', 'p50', 'p90', 'p99']

/**
 * prom-client's process and Node.js metrics under our prefix, but for two that cost too much here:
 * the statistics of the event loop's delay need a timer every 10 ms (0.3 → 7 ms of CPU per second on an idle node; the delay at
 * the moment of the scrape stays), and the open descriptors are listed synchronously (50 ms of silence for 15 000 connections).
 */
export function registerProcessMetrics(registry: Registry, prefix: string): void {
  collectDefaultMetrics({ register: registry, prefix, eventLoopMonitoringPrecision: neverMs })
  for (const statistic of delayStatistics)
    registry.removeSingleMetric(`${prefix}nodejs_eventloop_lag_${statistic}_seconds`)
  const openFilesName = `${prefix}process_open_fds`
  registry.removeSingleMetric(openFilesName)
  const openFiles = new Gauge({
    name: openFilesName,
    help: 'Number of open file descriptors.',
    registers: [registry],
    async collect() {
      const count = await countOpenFiles()
      if (count === undefined) openFiles.remove()
      else openFiles.set(count)
    },
  })
}

/** Since Linux 6.2 the size of the folder is the answer; before, its entries are counted off the main thread. */
async function countOpenFiles(): Promise<number | undefined> {
  try {
    const { size } = await stat(descriptorsFolder)
    return size > 0 ? size : await countEntries(descriptorsFolder)
  } catch {
    // No /proc on this system: the metric has no value.
    return undefined
  }
}

async function countEntries(folder: string): Promise<number> {
  let count = 0
  for await (const entry of await opendir(folder, { bufferSize: 4096 })) count += entry.name === '' ? 0 : 1
  return count
}
