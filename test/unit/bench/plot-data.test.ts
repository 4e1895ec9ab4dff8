import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import type { Gate, Unit } from '../../../bench/gates.js'
import type { ComparedRow, Comparison } from '../../../bench/report/comparison.js'
import { plotData, serverTitle } from '../../../bench/report/plot-data.js'
import { labelLines, ticksOf } from '../../../bench/report/plot-spec.js'
import { labelsOf, newestResults, readResults } from '../../../bench/report/results-file.js'
import type { ResultsFile } from '../../../bench/report/results-file.js'

const gate: Gate = { gate: 1.5, goal: 1.2 }

const comparedRow = (id: string, unit: Unit, against: readonly string[]): ComparedRow => ({
  row: { id, work: `work of ${id}`, per: 'event', unit, against: {} },
  median: 1,
  p99Ms: undefined,
  parts: {},
  verdict: undefined,
  comparisons: against.map((label): Comparison => {
    return { label, median: 1, ratio: 1, lowest: 1, highest: 1, gate, verdict: undefined }
  }),
})

const results = (given: Partial<ResultsFile>): ResultsFile => ({
  date: '2026-01-02T03:04:05.678Z',
  machine: 'a machine',
  versions: ['belfry: belfry 1', 'bare: bare 1'],
  command: 'npm run bench',
  runs: 3,
  suite: 'node',
  compared: [comparedRow('one', 'µs', ['bare'])],
  failures: [],
  values: { one: { belfry: [3, 4, 8], bare: [2, 4, 4] } },
  parts: {},
  ...given,
})

describe('what a plot of one node shows', () => {
  it('is the median ratio of neighbouring runs, their range, the figure and the gate', () => {
    expect(plotData(results({}))).toEqual({
      base: 'bare',
      servers: ['belfry'],
      rows: [{ id: 'one', work: 'work of one' }],
      bars: [{ row: 'one', server: 'belfry', ratio: 1.5, lowest: 1, highest: 2, figure: '4 µs', gate: 1.5 }],
      parts: [],
    })
  })

  it('divides a peer by the bare server as well, whatever their order, and asks nothing of it', () => {
    const data = plotData(
      results({
        versions: ['belfry: belfry 1', 'soketi: soketi 1', 'bare: bare 1'],
        compared: [comparedRow('one', 'µs', ['soketi', 'bare'])],
        values: { one: { belfry: [2], bare: [2], soketi: [12] } },
      }),
    )
    expect(data).toMatchObject({ base: 'bare', servers: ['belfry', 'soketi'] })
    expect(data?.bars.map(({ server, ratio, gate: asked }) => [server, ratio, asked])).toEqual([
      ['belfry', 1, 1.5],
      ['soketi', 6, undefined],
    ])
  })

  it('divides by the first reference where the bare server was not measured', () => {
    const versions = ['belfry: belfry 1', 'soketi: soketi 1']
    const data = plotData(results({ versions, values: { one: { belfry: [1], soketi: [4] } } }))
    expect(data).toMatchObject({ base: 'soketi', bars: [{ server: 'belfry', ratio: 0.25 }] })
  })

  it('leaves out runs that failed, and rows in which nothing can be divided', () => {
    const ids = ['one', 'failed', 'alone', 'nothing']
    const data = plotData(
      results({
        compared: ids.map((id) => comparedRow(id, 'µs', ['bare'])),
        values: {
          one: { belfry: [NaN, 4, 6], bare: [1, 2, NaN] },
          failed: { belfry: [NaN], bare: [1] },
          alone: { belfry: [1] },
          nothing: { belfry: [0, 0], bare: [1, 1] },
        },
      }),
    )
    expect(data?.rows.map(({ id }) => id)).toEqual(['one'])
    expect(data?.bars).toMatchObject([{ row: 'one', ratio: 2, lowest: 2, highest: 2, figure: '5 µs' }])
  })

  it('leaves out what is better when it is more', () => {
    const compared = [comparedRow('one', 'µs', ['bare']), comparedRow('rate', '1/s', ['bare'])]
    const values = { one: { belfry: [1], bare: [1] }, rate: { belfry: [9], bare: [1] } }
    expect(plotData(results({ compared, values }))?.rows.map(({ id }) => id)).toEqual(['one'])
  })

  it('keeps to the rows with a gate when there are too many for one picture', () => {
    const rowsWithout = (count: number): Partial<ResultsFile> => {
      const others = Array.from({ length: count }, (_, index) => comparedRow(`other ${index}`, 'µs', []))
      const compared = [comparedRow('one', 'µs', ['bare']), ...others]
      return { compared, values: Object.fromEntries(compared.map(({ row }) => [row.id, { belfry: [1], bare: [1] }])) }
    }
    expect(plotData(results(rowsWithout(23)))?.rows).toHaveLength(24)
    const many = plotData(results(rowsWithout(24)))
    expect(many?.rows.map(({ id }) => id)).toEqual(['one'])
    expect(many?.bars.map(({ row }) => row)).toEqual(['one'])
  })

  it('is nothing where nothing was compared', () => {
    expect(plotData(results({ versions: ['belfry: belfry 1'] }))).toBeUndefined()
    expect(plotData(results({ values: { one: { belfry: [1] } } }))).toBeUndefined()
  })
})

describe('what a plot of several nodes shows', () => {
  const versions = ['belfry-cluster: 2 × belfry 1', 'belfry: belfry 1']
  const cluster = (given: Partial<ResultsFile>): ResultsFile =>
    results({
      suite: 'cluster',
      versions,
      compared: [comparedRow('one', 'µs', ['belfry'])],
      values: { one: { 'belfry-cluster': [30, 60], belfry: [10, 20] } },
      parts: {
        one: {
          'belfry-cluster': [
            { 'node 1': 15, 'node 2': 5, redis: 10 },
            { 'node 1': 30, 'node 2': 10, redis: 20 },
          ],
          belfry: [{ node: 10 }, { node: 20 }],
        },
      },
      ...given,
    })

  it('is the parts of the cost, as long together as the ratio to one node', () => {
    const data = plotData(cluster({}))
    expect(data).toMatchObject({ base: 'belfry', servers: ['belfry-cluster'], bars: [{ ratio: 3, gate: 1.5 }] })
    expect(data?.parts).toEqual([
      { row: 'one', server: 'belfry-cluster', part: 'node 1', from: 0, to: 1.5 },
      { row: 'one', server: 'belfry-cluster', part: 'node 2', from: 1.5, to: 2 },
      { row: 'one', server: 'belfry-cluster', part: 'redis', from: 2, to: 3 },
    ])
  })

  it('is the same of workers', () => {
    const parts = { one: { 'belfry-workers': [{ workers: 2, redis: 1 }] } }
    const values = { one: { 'belfry-workers': [30], belfry: [10] } }
    const workers = { suite: 'workers', versions: ['belfry-workers: 1', 'belfry: 1'], parts, values } as const
    expect(plotData(cluster(workers))).toMatchObject({ base: 'belfry', parts: [{ to: 2 }, { part: 'redis', to: 3 }] })
  })

  it('takes a part a little below nothing for nothing', () => {
    const parts = { one: { 'belfry-cluster': [{ 'node 1': 20, 'node 2': -1, redis: 10 }] } }
    const pieces = plotData(cluster({ parts }))?.parts.map(({ from, to }) => [from, to])
    expect(pieces).toEqual([
      [0, 2],
      [2, 2],
      [2, 3],
    ])
  })

  it('leaves out rows whose parts are not parts of the figure, and servers of one process', () => {
    const inMs = cluster({ compared: [comparedRow('one', 'ms', ['belfry'])] })
    expect(plotData(inMs)).toBeUndefined()
    expect(plotData(cluster({ parts: { one: { 'belfry-cluster': [{ node: 30 }] } } }))).toBeUndefined()
    expect(plotData(cluster({ parts: {} }))).toBeUndefined()
  })
})

describe('a results file', () => {
  const folders: string[] = []
  const folderWith = (files: Readonly<Record<string, string>>): string => {
    const folder = mkdtempSync(join(tmpdir(), 'belfry-plot-'))
    folders.push(folder)
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
    return folder
  }

  afterEach(() => {
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
  })

  it('has NaN where a run failed, which JSON cannot say', () => {
    const text = JSON.stringify(results({ values: { one: { belfry: [NaN, 2], bare: [1, 1] } } }))
    const file = join(folderWith({ 'a.json': text }), 'a.json')
    expect(readResults(file).values).toEqual({ one: { belfry: [NaN, 2], bare: [1, 1] } })
  })

  it('of the oldest kind is of one node', () => {
    // JSON leaves out what is undefined.
    const old = { ...results({}), suite: undefined, parts: undefined }
    const file = join(folderWith({ 'a.json': JSON.stringify(old) }), 'a.json')
    expect(readResults(file)).toMatchObject({ suite: 'node', parts: {} })
  })

  it.each(['{}', 'null', '[]', '7'])('is not %s', (text) => {
    const file = join(folderWith({ 'a.json': text }), 'a.json')
    expect(() => readResults(file)).toThrow(/no results file/)
  })

  it('is found by its name, the newest first', () => {
    const folder = folderWith({ '2026-01-01.json': '', '2026-01-03.json': '', '2026-01-02.json': '', 'x.svg': '' })
    expect(newestResults(folder)).toBe(join(folder, '2026-01-03.json'))
    expect(() => newestResults(folderWith({}))).toThrow(/npm run bench/)
  })

  it('names its servers in the order of the command', () => {
    expect(labelsOf({ versions: ['belfry: 1: x', 'bare (2): 2'] })).toEqual(['belfry', 'bare (2)'])
  })
})

describe('the words and figures around the bars', () => {
  it('breaks long labels into lines of about one length and never between a figure and what it counts', () => {
    expect(labelLines('client event, 9 deliveries')).toEqual(['client event, 9 deliveries'])
    const lines = labelLines('fan-out, 1 000 subscribers × 100 B, one message per loop turn')
    expect(lines).toHaveLength(2)
    expect(lines.join(' ')).toContain('× 100 B,')
    for (const line of lines) expect(line).not.toMatch(/[\d×]$/)
    expect(Math.abs(lines[0]!.length - lines[1]!.length)).toBeLessThan(10)
  })

  it('has ticks within the limits, 1 among them, and fewer on a long scale', () => {
    expect(ticksOf(0.45, 3.4)).toEqual([0.5, 0.7, 1, 1.5, 2, 3])
    expect(ticksOf(0.45, 22)).toEqual([0.5, 1, 2, 5, 10, 20])
  })

  it('calls servers what readers call them', () => {
    expect(['belfry', 'belfry-cluster', 'soketi'].map(serverTitle)).toEqual([
      'Belfry',
      'two Belfry nodes and a Redis',
      'soketi',
    ])
  })
})
