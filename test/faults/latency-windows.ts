/** Latency of triggers and deliveries in short windows: the median window says what a fault does, whatever a shared machine does besides. */
import { median } from '../../bench/measure/statistics.js'
import { LatencyHistogram } from '../black-box/latency.js'
import { RestClient, type RestReply } from '../black-box/rest-client.js'
import { sleep } from '../black-box/waiting.js'

const windowMs = 500

/** A REST client that keeps how long its triggers took. */
export class TimedRest extends RestClient {
  readonly latency = new LatencyHistogram()

  override async trigger(channels: readonly string[], name: string, data: string): Promise<RestReply> {
    const startedAtMs = performance.now()
    const reply = await super.trigger(channels, name, data)
    this.latency.add(performance.now() - startedAtMs)
    return reply
  }
}

/** Per whole window, in ms. */
export interface Windows {
  readonly p50s: number[]
  readonly p99s: number[]
}

/** @returns the windows of each of these, by its name, over the whole of the work */
export async function windowsOf<Name extends string>(
  latencies: Readonly<Record<Name, LatencyHistogram>>,
  work: Promise<unknown>,
): Promise<Record<Name, Windows>> {
  const named = Object.entries(latencies) as [Name, LatencyHistogram][]
  const windows = Object.fromEntries(named.map(([name]) => [name, { p50s: [], p99s: [] }])) as unknown as Record<
    Name,
    Windows
  >
  for (const [, latency] of named) latency.clear()
  let ended = false
  const end = work.finally(() => (ended = true))
  end.catch(() => undefined)
  for (;;) {
    await Promise.race([sleep(windowMs), end])
    if (ended) break
    for (const [name, latency] of named) {
      if (latency.count > 0) {
        windows[name].p50s.push(latency.quantileMs(0.5))
        windows[name].p99s.push(latency.quantileMs(0.99))
      }
      latency.clear()
    }
  }
  await end
  return windows
}

export function both(windows: readonly Windows[]): Windows {
  return { p50s: windows.flatMap(({ p50s }) => p50s), p99s: windows.flatMap(({ p99s }) => p99s) }
}

/** `p50 1.2 ms, p99 5.0 ms (4.1 to 20.3 in 12 windows)`, of the median windows. */
export function windowsText({ p50s, p99s }: Windows): string {
  const range = `${Math.min(...p99s).toFixed(1)} to ${Math.max(...p99s).toFixed(1)} in ${p99s.length} windows`
  return `p50 ${median(p50s).toFixed(1)} ms, p99 ${median(p99s).toFixed(1)} ms (${range})`
}
