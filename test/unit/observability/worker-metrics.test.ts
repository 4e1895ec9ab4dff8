import { beforeEach, describe, expect, it } from 'vitest'
import { WorkerMetrics } from '../../../src/observability/worker-metrics.js'
import { parseExposition } from './exposition.js'

/** The metrics page of a worker as JSON. */
function page(connected: number, connectionsTotal: number): string {
  const figure = (type: string, name: string, value: number) => ({
    name,
    help: 'h',
    type,
    values: [{ labels: { app_id: '1' }, value }],
  })
  const process = {
    name: 'belfry_process_resident_memory_bytes',
    help: 'h',
    type: 'gauge',
    values: [{ labels: {}, value: 7 }],
  }
  return JSON.stringify([
    figure('gauge', 'belfry_connected', connected),
    figure('counter', 'belfry_connections_total', connectionsTotal),
    process,
  ])
}

describe('WorkerMetrics', () => {
  /** By index; who is missing serves but does not answer. */
  let answers: Map<number, string>
  let counts: { starting: number; serving: number; waiting: number }
  let metrics: WorkerMetrics

  beforeEach(() => {
    answers = new Map([
      [0, page(3, 30)],
      [1, page(4, 40)],
    ])
    counts = { starting: 0, serving: 2, waiting: 0 }
    metrics = new WorkerMetrics({
      ask: async (each) => {
        for (const [index, answer] of answers) each({ index, answer })
      },
      counts: () => counts,
      restarts: () => 5,
    })
  })

  /** The values of a metric, by the values of their labels. */
  async function values(name: string): Promise<Record<string, number>> {
    const series = parseExposition(await metrics.text()).get(name)?.series ?? []
    return Object.fromEntries(series.map(({ labels, value }) => [Object.values(labels).join(), value]))
  }

  it('is one page: sums for apps, a label for what belongs to a process, and the parent beside them', async () => {
    expect(await values('belfry_connected')).toEqual({ 1: 7 })
    expect(await values('belfry_connections_total')).toEqual({ 1: 70 })
    const resident = await values('belfry_process_resident_memory_bytes')
    expect(Object.keys(resident)).toEqual(['0', '1', 'parent'])
    expect(resident['parent']).toBeGreaterThan(1e6)
    expect(await values('belfry_worker_restarts_total')).toEqual({ '': 5 })
    expect(await values('belfry_workers')).toEqual({ serving: 2, silent: 0, starting: 0, waiting: 0 })
  })

  it('says the same as JSON', async () => {
    const json = JSON.parse(await metrics.json()) as { name: string; values: unknown[] }[]
    expect(json.find(({ name }) => name === 'belfry_connected')?.values).toEqual([
      { labels: { app_id: '1' }, value: 7 },
    ])
  })

  it('a worker that does not answer is out of the gauges, visibly, but no counter steps back', async () => {
    await metrics.text()
    answers.delete(1)
    expect(await values('belfry_connected')).toEqual({ 1: 3 })
    expect(await values('belfry_connections_total')).toEqual({ 1: 70 })
    expect(Object.keys(await values('belfry_process_resident_memory_bytes'))).toEqual(['0', 'parent'])
    expect(await values('belfry_workers')).toMatchObject({ serving: 1, silent: 1 })
  })

  it('what a worker had counted stays when it ends, and its successor begins at 0', async () => {
    await metrics.text()
    metrics.ended(1)
    answers.delete(1)
    counts = { starting: 1, serving: 1, waiting: 0 }
    expect(await values('belfry_connections_total')).toEqual({ 1: 70 })
    expect(await values('belfry_workers')).toEqual({ serving: 1, silent: 0, starting: 1, waiting: 0 })
    answers.set(1, page(1, 1))
    expect(await values('belfry_connections_total')).toEqual({ 1: 71 })
    expect(await values('belfry_connected')).toEqual({ 1: 4 })
    metrics.ended(1)
    metrics.ended(1)
    answers.delete(1)
    expect(await values('belfry_connections_total')).toEqual({ 1: 71 })
    expect(Object.keys(await values('belfry_process_resident_memory_bytes'))).toEqual(['0', 'parent'])
  })

  it('with no worker left there is still a page', async () => {
    answers.clear()
    counts = { starting: 0, serving: 0, waiting: 2 }
    expect(await values('belfry_workers')).toEqual({ serving: 0, silent: 0, starting: 0, waiting: 2 })
  })
})
