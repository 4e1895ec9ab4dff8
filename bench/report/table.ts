import type { SelfTime } from '../measure/cpu-profile.js'
import type { ComparedRow } from './comparison.js'

/** Header and one line of cells per row; `labels` with the server under test first. */
export function tableCells(compared: readonly ComparedRow[], labels: readonly string[]): string[][] {
  const [subject = '', ...references] = labels
  const columns: Columns = {
    parts: [...new Set(compared.flatMap(({ parts }) => Object.keys(parts)))],
    most: compared.some(({ row }) => row.most !== undefined),
  }
  const header = [
    'work',
    'per',
    'unit',
    subject,
    ...columns.parts,
    ...(columns.most ? ['most', 'verdict'] : []),
    'p99 ms',
  ]
  for (const label of references) header.push(label, 'ratio', 'spread', 'gate', 'goal', 'verdict')
  return [header, ...compared.map((row) => cellsOf(row, columns))]
}

/** Those that only some tables have. */
interface Columns {
  /** Processes of the server under test. */
  readonly parts: readonly string[]
  /** Something is asked of a figure itself. */
  readonly most: boolean
}

/** For a terminal: columns padded, figures to the right. */
export function terminalTable(cells: readonly (readonly string[])[]): string {
  const widths = (cells[0] ?? []).map((_, column) => Math.max(...cells.map((line) => (line[column] ?? '').length)))
  const pad = (cell: string, column: number) =>
    column < 3 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)
  return cells.map((line) => line.map(pad).join('  ').trimEnd()).join('\n')
}

/** @param words how many columns are text; figures go to the right */
export function markdownTable(cells: readonly (readonly string[])[], words = 3): string {
  const line = (parts: readonly string[]) => `| ${parts.join(' | ')} |`
  const [header = [], ...body] = cells
  const rule = header.map((_, column) => (column < words ? '---' : '--:'))
  return [header, rule, ...body].map(line).join('\n')
}

/** The profile of one scenario for a terminal. */
export function profileTable(functions: readonly SelfTime[]): string {
  return terminalTable(
    functions.map(({ name, place, share }) => [`${(share * 100).toFixed(1)} %`.padStart(7), name, place]),
  )
}

function cellsOf({ row, median, p99Ms, parts, verdict: own, comparisons }: ComparedRow, columns: Columns): string[] {
  const cells = [row.work, row.per, row.unit, figure(median)]
  for (const name of columns.parts) cells.push(optionalFigure(parts[name]))
  if (columns.most) cells.push(optionalFigure(row.most?.gate), own ?? '')
  cells.push(optionalFigure(p99Ms))
  for (const { median: reference, ratio, lowest, highest, gate, verdict } of comparisons) {
    cells.push(figure(reference), ratioText(ratio))
    cells.push(Number.isFinite(lowest) ? `${ratioText(lowest)}–${ratioText(highest)}` : '–')
    cells.push(gate?.gate.toFixed(2) ?? '–', gate?.goal.toFixed(2) ?? '–')
    cells.push(verdict ?? (gate !== undefined && Number.isNaN(ratio) ? 'FAILED' : '–'))
  }
  return cells
}

function optionalFigure(value: number | undefined): string {
  return value === undefined ? '' : figure(value)
}

function ratioText(ratio: number): string {
  return Number.isNaN(ratio) ? '–' : ratio.toFixed(2)
}

/** Three significant digits, and all digits of large numbers. */
export function figure(value: number): string {
  if (Number.isNaN(value)) return '–'
  return Math.abs(value) >= 100 ? Math.round(value).toString() : Number(value.toPrecision(3)).toString()
}
