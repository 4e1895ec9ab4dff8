/** A parser of the Prometheus text format (0.0.4), strict enough that every line must be one that Prometheus takes. */

export interface Series {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface Family {
  readonly name: string
  readonly type: string
  readonly help: string
  readonly series: Series[]
}

const nameSource = '[a-zA-Z_:][a-zA-Z0-9_:]*'
const helpLine = new RegExp(`^# HELP (${nameSource}) (.+)$`)
const typeLine = new RegExp(`^# TYPE (${nameSource}) (counter|gauge|histogram|summary|untyped)$`)
const sampleLine = new RegExp(`^(${nameSource})(?:\\{(.*)\\})? (\\S+)$`)
const labelPair = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/y

/** @throws with the line that no scraper would take, a family twice, a series twice, or a series before its HELP and TYPE */
export function parseExposition(text: string): Map<string, Family> {
  if (!text.endsWith('\n')) throw new Error('the last line has no end')
  const families = new Map<string, Family>()
  const seen = new Set<string>()
  let help: { name: string; text: string } | undefined
  let family: Family | undefined
  for (const line of text.split('\n')) {
    if (line === '') continue
    const asHelp = helpLine.exec(line)
    const asType = typeLine.exec(line)
    if (asHelp !== null) {
      help = { name: asHelp[1] ?? '', text: asHelp[2] ?? '' }
    } else if (asType !== null) {
      if (help === undefined || help.name !== asType[1]) throw new Error(`TYPE without HELP: ${line}`)
      if (families.has(help.name)) throw new Error(`family twice: ${line}`)
      family = { name: help.name, type: asType[2] ?? '', help: help.text, series: [] }
      families.set(family.name, family)
    } else {
      const series = parseSeries(line)
      if (family === undefined || !belongs(series.name, family)) throw new Error(`not in its family: ${line}`)
      const identity = JSON.stringify([series.name, Object.entries(series.labels).sort()])
      if (seen.has(identity)) throw new Error(`series twice: ${line}`)
      seen.add(identity)
      family.series.push(series)
    }
  }
  return families
}

function belongs(name: string, family: Family): boolean {
  if (family.type !== 'histogram') return name === family.name
  return ['_bucket', '_sum', '_count'].some((end) => name === family.name + end)
}

function parseSeries(line: string): Series {
  const [, name = '', labels = '', text = ''] = sampleLine.exec(line) ?? []
  const value = text === '+Inf' ? Infinity : Number(text)
  if (name === '' || text === '' || Number.isNaN(value)) throw new Error(`no sample: ${line}`)
  return { name, labels: parseLabels(labels, line), value }
}

function parseLabels(text: string, line: string): Record<string, string> {
  const labels: Record<string, string> = {}
  labelPair.lastIndex = 0
  while (labelPair.lastIndex < text.length) {
    const pair = labelPair.exec(text)
    if (pair === null) throw new Error(`bad labels: ${line}`)
    labels[pair[1] ?? ''] = (pair[2] ?? '').replaceAll(/\\(.)/g, (_all, escaped: string) =>
      escaped === 'n' ? '\n' : escaped,
    )
  }
  return labels
}
