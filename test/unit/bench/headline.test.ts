import { describe, expect, it } from 'vitest'
import { rows } from '../../../bench/gates.js'
import type { ComparedRow, Comparison } from '../../../bench/report/comparison.js'
import { headlineTable } from '../../../bench/report/headline.js'

function measured(id: string, figure: number, ratios: Readonly<Record<string, number>>): ComparedRow {
  const row = rows.find((one) => one.id === id)
  if (row === undefined) throw new Error(`no row ${id}`)
  const comparisons = Object.entries(ratios).map(([label, ratio]): Comparison => ({
    label,
    median: figure / ratio,
    ratio,
    lowest: ratio,
    highest: ratio,
    gate: undefined,
    verdict: undefined,
  }))
  return { row, median: figure, p99Ms: undefined, parts: {}, verdict: undefined, comparisons }
}

describe('the table of the main README', () => {
  it('has the figure and a ratio to each of those compared, in its own order, and nothing else', () => {
    const table = headlineTable([
      measured('hold', 9, { bare: 1, soketi: 1 }),
      measured('start-rss', 76.6, { bare: 1.72, soketi: 0.7 }),
      measured('trigger-one', 22.04, { bare: 1.523, soketi: 0.2 }),
    ])
    expect(table.split('\n')).toEqual([
      '| work | unit | Belfry | ÷ bare uWebSockets.js server | ÷ soketi |',
      '| --- | --- | --: | --: | --: |',
      '| a trigger to one subscriber: signature, validation, delivery | µs | 22 | 1.52 | 0.20 |',
      '| memory at start | MB | 76.6 | 1.72 | 0.70 |',
    ])
  })

  it('says so where a server has no ratio', () => {
    const [, , line] = headlineTable([
      measured('trigger-one', 22, { bare: 1.5 }),
      measured('start-rss', 70, { bare: 1, soketi: 1 }),
    ]).split('\n')
    expect(line).toMatch(/\| 1\.50 \| – \|$/)
  })
})
