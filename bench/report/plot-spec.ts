/** How a plot looks: specifications for vega-lite, at the width of a README. */
import type { TopLevelSpec } from 'vega-lite'
import { serverTitle } from './plot-data.js'
import type { PlotData } from './plot-data.js'

/** Pixels: what a README page on GitHub has. */
const width = 880
const margin = { left: 300, right: 194, top: 122, bottom: 40 }
const plotWidth = width - margin.left - margin.right
/** From the left of the plot to the left of the picture and its margin there. */
const leftEdge = 16 - margin.left
const font = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', Arial, sans-serif"
const ink = '#24292f'
const faint = '#656d76'
const gateColour = '#cf222e'
const serverColours = ['#1f6feb', '#d4a03a', '#8250df', '#57606a']
const partColours = ['#1f6feb', '#8ab8f5', '#d4a03a', '#57606a']
/** As many letters as fit into the left margin. */
const labelLetters = 40
/** Enough for any text of ours; what fits is measured too roughly without a screen. */
const noLimit = 1_000
const gateTitle = 'gate: the most that is accepted'
const letterWidth = 7

/** Ratios to the base as horizontal bars on a logarithmic scale, from 1 to the right or, what costs less, to the left. */
export function ratioSpec(data: PlotData, runs: number): TopLevelSpec {
  const { barHeight } = heights(data)
  const ends = data.bars.flatMap(({ lowest, highest, gate }) => [lowest, highest, gate ?? highest])
  const lowest = Math.min(0.75, ...ends) * 0.95
  const highest = Math.max(1.2, ...ends) * 1.05
  const base = serverTitle(data.base)
  const x = { type: 'quantitative' as const, scale: { type: 'log' as const, domain: [lowest, highest], nice: false } }
  const rows = rowEncoding(data)
  const range = runs > 1 ? `Bars: median of ${runs} runs; thin lines: their range.` : 'One run.'
  return {
    ...frame(data, `Cost of one unit of work: ${base} = 1`, `Logarithmic scale, less is better. ${range}`),
    data: { values: barValues(data) },
    layer: [
      {
        mark: { type: 'bar', height: barHeight },
        encoding: {
          ...rows,
          x: { ...x, field: 'ratio', axis: { ...ratioAxis, values: ticksOf(lowest, highest) } },
          x2: { datum: 1 },
          fill: colours(data.servers.map(serverTitle), serverColours, 'server'),
        },
      },
      {
        mark: { type: 'rule', strokeWidth: 1, color: ink, opacity: 0.8 },
        encoding: { ...rows, x: { ...x, field: 'lowest' }, x2: { field: 'highest' } },
      },
      ...gateMarks(data, x, data.servers.map(serverTitle)),
      ...baseMarks(x, base),
      ...endTexts(rows),
    ],
  }
}

/** The parts of several processes, stacked, as ratios to the whole of the base. */
export function partsSpec(data: PlotData, runs: number): TopLevelSpec {
  const { barHeight } = heights(data)
  const most = Math.max(...data.bars.flatMap(({ ratio, gate }) => [ratio, gate ?? 0]))
  const names = [...new Set(data.parts.map(({ part }) => part))]
  const base = data.base === 'belfry' ? 'one Belfry process without Redis' : serverTitle(data.base)
  const x = { type: 'quantitative' as const, scale: { domain: [0, most * 1.03], nice: false } }
  const rows = rowEncoding(data)
  return {
    ...frame(
      data,
      `Cost of ${data.servers.map(serverTitle).join(' and of ')}`,
      `CPU time of all processes, ${base} = 1, less is better. ${runs > 1 ? `Median of ${runs} runs.` : 'One run.'}`,
    ),
    data: { values: barValues(data) },
    layer: [
      {
        data: { values: data.parts.map((part) => ({ ...part, server: serverTitle(part.server) })) },
        mark: { type: 'bar', height: barHeight },
        encoding: {
          ...rows,
          x: { ...x, field: 'from', axis: { ...ratioAxis, tickCount: 8 } },
          x2: { field: 'to' },
          fill: colours(names, partColours, 'part'),
        },
      },
      ...gateMarks(data, x, names),
      ...baseMarks(x, base),
      ...endTexts(rows),
    ],
  }
}

/** A row's label, broken where it is too long for the margin, into lines of about the same length. */
export function labelLines(work: string): string[] {
  let best = brokenAt(labelLetters, work)
  for (let letters = labelLetters - 1; letters > 0; letters -= 1) {
    const narrower = brokenAt(letters, work)
    if (narrower.length > best.length) break
    best = narrower
  }
  return best
}

function brokenAt(letters: number, text: string): string[] {
  const lines: string[] = []
  // A figure stays with what it counts.
  for (const word of text.split(/(?<![\d×]) /)) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + word.length < letters) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}

/** Round figures within the limits, about as many as are readable. */
export function ticksOf(lowest: number, highest: number): number[] {
  const sparse = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500]
  const dense = [0.3, 0.7, 1.5, 3, 7, 15, 30]
  const ticks = highest / lowest > 12 ? sparse : [...sparse, ...dense].toSorted((a, b) => a - b)
  return ticks.filter((tick) => tick >= lowest && tick <= highest)
}

function frame(data: PlotData, text: string, subtitle: string) {
  const lines = Object.fromEntries(data.rows.map(({ id, work }) => [id, labelLines(work)]))
  return {
    // A light card of its own, in the dark mode of a page as well.
    background: 'white',
    width: plotWidth,
    height: data.rows.length * heights(data).rowHeight,
    padding: margin,
    autosize: { type: 'none' as const },
    params: [{ name: 'lines', value: lines }],
    title: {
      text,
      subtitle,
      anchor: 'start' as const,
      frame: 'group' as const,
      dx: leftEdge,
      offset: 16,
      fontSize: 16,
      color: ink,
      subtitleFontSize: 12,
      subtitlePadding: 6,
      subtitleColor: faint,
    },
    config: {
      font,
      view: { stroke: null },
      axis: { labelFontSize: 12, labelLimit: noLimit, domain: false, ticks: false },
    },
  }
}

/** With one server there must be room for two lines of a label beside one bar. */
function heights({ servers }: PlotData): { rowHeight: number; barHeight: number } {
  return servers.length === 1 ? { rowHeight: 34, barHeight: 16 } : { rowHeight: 17 * servers.length + 8, barHeight: 14 }
}

function barValues({ bars, servers, parts }: PlotData): object[] {
  return bars.map((bar) => ({
    ...bar,
    server: serverTitle(bar.server),
    text: `${bar.ratio >= 9.995 ? bar.ratio.toFixed(1) : bar.ratio.toFixed(2)} ×`,
    // The colours of stacked bars do not say whose they are.
    name: parts.length > 0 && servers.length > 1 ? bar.server.replace('-cluster', '') : '',
  }))
}

function rowEncoding({ rows, servers }: PlotData) {
  const isLong = 'length(lines[datum.value]) > 1'
  return {
    y: {
      field: 'row',
      type: 'nominal' as const,
      sort: rows.map(({ id }) => id),
      scale: { padding: 0 },
      axis: {
        title: null,
        labelExpr: 'lines[datum.value]',
        labelColor: ink,
        labelPadding: 12,
        labelLineHeight: 14,
        labelOffset: { condition: { test: isLong, value: -7 }, value: 0 },
      },
    },
    yOffset: {
      field: 'server',
      type: 'nominal' as const,
      sort: servers.map(serverTitle),
      scale: { paddingOuter: servers.length === 1 ? 0 : 0.25 },
    },
  }
}

function colours(domain: string[], range: string[], field: string) {
  return { field, type: 'nominal' as const, scale: { domain, range: range.slice(0, domain.length) }, legend: legend(0) }
}

function legend(x: number) {
  return {
    title: null,
    orient: 'none' as const,
    direction: 'horizontal' as const,
    legendX: leftEdge + x,
    legendY: -52,
    labelFontSize: 12,
    labelColor: ink,
    labelLimit: noLimit,
    columnPadding: 18,
  }
}

const ratioAxis = {
  title: null,
  labelExpr: "format(datum.value, '~g') + ' ×'",
  gridColor: '#d8dee4',
  labelColor: faint,
}

/** A mark across the bar of the server under test, with its own legend behind that of the others. */
function gateMarks(data: PlotData, x: object, others: readonly string[]) {
  // Without a mark no legend either.
  if (data.bars.every(({ gate }) => gate === undefined)) return []
  const behind = others.reduce((sum, title) => sum + title.length * letterWidth + 42, 0)
  const marks = {
    transform: [{ filter: 'isValid(datum.gate)' }],
    mark: {
      type: 'tick' as const,
      orient: 'vertical' as const,
      thickness: 2.5,
      size: heights(data).barHeight + 6,
      fill: gateColour,
      strokeWidth: 0,
      opacity: 1,
    },
    encoding: {
      ...rowEncoding(data),
      x: { ...x, field: 'gate' },
      stroke: {
        datum: gateTitle,
        type: 'nominal' as const,
        scale: { domain: [gateTitle], range: [gateColour] },
        legend: { ...legend(behind), symbolType: 'M0,-1L0,1', symbolStrokeWidth: 2.5, symbolOpacity: 1 },
      },
    },
  }
  return [marks]
}

/** Where the base stands, and its name above. */
function baseMarks(x: object, base: string) {
  const at = { x: { ...x, datum: 1 } }
  const text = { type: 'text' as const, align: 'left' as const, dx: -3, fontSize: 11, color: faint }
  return [
    { data: { values: [{}] }, mark: { type: 'rule' as const, strokeWidth: 1.5, color: ink }, encoding: at },
    { data: { values: [{}] }, mark: text, encoding: { ...at, y: { value: -9 }, text: { value: base } } },
  ]
}

/** To the right of the bars: the ratio, and more faintly the figure itself and, where colours do not tell, whose it is. */
function endTexts(rows: object) {
  const mark = { type: 'text' as const, align: 'left' as const, baseline: 'middle' as const, fontSize: 12 }
  return [
    {
      mark: { ...mark, align: 'right' as const, color: ink, fontWeight: 600 as const },
      encoding: { ...rows, x: { value: plotWidth + 62 }, text: { field: 'text' } },
    },
    {
      mark: { ...mark, color: faint },
      encoding: { ...rows, x: { value: plotWidth + 74 }, text: { field: 'figure' } },
    },
    {
      mark: { ...mark, color: faint },
      encoding: { ...rows, x: { value: plotWidth + 144 }, text: { field: 'name' } },
    },
  ]
}
