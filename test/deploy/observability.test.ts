/** The dashboard and the alert rules against each other, against the page that explains them, and against real scrapes. */
import { beforeAll, describe, expect, it } from 'vitest'
import { RedisServer } from '../harness/redis-server.js'
import { TestServer } from '../harness/test-server.js'
import { describeWith } from '../requirements.js'
import type { Series } from '../unit/observability/exposition.js'
import {
  alertRules,
  alertsFile,
  alertTestsFile,
  charts,
  dashboard,
  groupedBy,
  root,
  ruleTests,
  selects,
  selectorsOf,
  text,
  withoutVariables,
  type Selector,
} from './observability-files.js'
import { checkMetrics, describeWithPromtool, evaluate, type Promtool } from './observability-promtool.js'
import { eventfulScrapes, scrape, targetLabels, withChannels, type Scraped } from './observability-scrapes.js'

const panelExpressions = charts.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ title, expr })))
const annotations = dashboard.annotations.list.flatMap(({ name, expr }) => (expr === undefined ? [] : [{ name, expr }]))
const variables = dashboard.templating.list.flatMap(({ name, definition }) =>
  definition === undefined ? [] : [{ title: name, expr: definition.replace(/^label_values\((.*), \w+\)$/, '$1') }],
)
/** Everything that asks Prometheus for something. */
const expressions = [
  ...[...panelExpressions, ...annotations.map(({ name, expr }) => ({ title: name, expr }))].map(({ title, expr }) => ({
    title,
    expr: withoutVariables(expr),
  })),
  ...alertRules.map(({ alert, expr }) => ({ title: alert, expr })),
]
const chosenSource = /^\$\{datasource\}$/
/** Made by Prometheus for every target, not by us. */
const ofPrometheus = new Set(['up'])
/** Only a node with Redis has these; those of workers only the parent of workers. */
const ofTheBus = /^belfry_(bus_|lease_|delivery_latency_)/
const ofWorkers = /^belfry_worker/

describe('the dashboard', () => {
  it('has the form that Grafana 10 and 11 load', () => {
    expect(dashboard).toMatchObject({ title: 'Belfry', uid: 'belfry', schemaVersion: 39, id: null })
    const ids = dashboard.panels.map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
    const types = new Set(dashboard.panels.map(({ type }) => type))
    expect([...types].sort()).toEqual(['row', 'stat', 'state-timeline', 'timeseries'])
  })

  it('has panels beside and below each other, none over another', () => {
    const taken = new Map<string, string>()
    for (const { title, gridPos } of dashboard.panels) {
      expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24)
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
          expect(taken.get(`${x},${y}`), title).toBeUndefined()
          taken.set(`${x},${y}`, title)
        }
      }
    }
  })

  it.each(charts)('$title: says what it means, and asks the chosen source', ({ description, targets, ...panel }) => {
    expect(description?.length).toBeGreaterThan(60)
    expect(panel.fieldConfig?.defaults.unit).toBeTruthy()
    expect(panel.datasource?.uid).toMatch(chosenSource)
    expect(targets?.length).toBeGreaterThan(0)
    expect(new Set(targets?.map(({ refId }) => refId)).size).toBe(targets?.length)
    for (const { expr, legendFormat, datasource } of targets ?? []) {
      expect(datasource.uid).toMatch(chosenSource)
      const grouped = groupedBy(expr)
      const named = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label)
      expect(legendFormat).not.toBe('')
      // A label that the sum has swallowed would be an empty word in the legend; one that it has not, two lines of one name.
      expect(named.sort()).toEqual([...grouped].filter((label) => label !== 'le').sort())
    }
  })

  it('every selection follows the variables at the top, and there are no others', () => {
    const known = new Set([...dashboard.templating.list.map(({ name }) => name), '__rate_interval'])
    for (const { title, expr } of [
      ...panelExpressions,
      ...annotations.map((each) => ({ title: each.name, ...each })),
    ]) {
      for (const [, variable = ''] of expr.matchAll(/\$(\w+)/g)) expect(known, title).toContain(variable)
      for (const { name, matchers } of selectorsOf(expr)) {
        const chosen = matchers.filter(({ value }) => value.startsWith('$')).map(({ label }) => label)
        expect(chosen, `${title}: ${name}`).toEqual(expect.arrayContaining(['job', 'instance']))
      }
    }
  })
})

describe('the alert rules', () => {
  it.each(alertRules)(
    '$alert: says how bad it is, what it is and where to read on',
    ({ alert, labels, annotations }) => {
      expect(['critical', 'warning', 'info']).toContain(labels['severity'])
      expect(annotations['summary']).toBeTruthy()
      expect(annotations['description']).toBeTruthy()
      expect(annotations['docs']).toBe(`docs/monitoring.md#${alert.toLowerCase()}`)
      expect(text('docs/monitoring.md')).toMatch(new RegExp(`^#+ ${alert}$`, 'm'))
    },
  )

  it('the page explains no alert that does not exist', () => {
    const explained = [...text('docs/monitoring.md').matchAll(/^#+ (Belfry\w+)$/gm)].map(([, name]) => name)
    expect(explained.sort()).toEqual(alertRules.map(({ alert }) => alert).sort())
  })

  it.each(alertRules)(
    '$alert: has a test in which it fires, and one in which it keeps quiet',
    ({ alert, for: wait }) => {
      const ofThis = ruleTests.filter((each) => each.alert_rule_test.every(({ alertname }) => alertname === alert))
      const fires = ofThis.filter((each) => each.alert_rule_test.some(({ exp_alerts }) => exp_alerts.length > 0))
      const quiet = ofThis.filter((each) => each.alert_rule_test.every(({ exp_alerts }) => exp_alerts.length === 0))
      expect([fires.length, quiet.length]).toEqual([1, 1])
      // Not before its time.
      if (wait !== undefined)
        expect(fires[0]?.alert_rule_test.some(({ exp_alerts }) => exp_alerts.length === 0)).toBe(true)
    },
  )
})

describe('the reading of expressions', () => {
  it('finds every metric and its matchers', () => {
    const expr =
      'sum by (le) (rate(a_bucket{x=~"y|z", u!="v"}[5m])) > 0.5 * b offset 10m and on (job) last_over_time(c[1h])'
    expect(selectorsOf(expr)).toEqual([
      {
        name: 'a_bucket',
        matchers: [
          { label: 'x', operator: '=~', value: 'y|z' },
          { label: 'u', operator: '!=', value: 'v' },
        ],
      },
      { name: 'b', matchers: [] },
      { name: 'c', matchers: [] },
    ])
    expect(selectorsOf('summ(a)').map(({ name }) => name)).toEqual(['summ', 'a'])
  })
})

describe('a node in memory', () => {
  it('has every metric that the dashboard and the alerts name, but for those of the bus and of workers', async () => {
    const server = await TestServer.start()
    try {
      const { series } = await scrape('a', server.metricsUrl)
      const names = new Set(series.map(({ name }) => name))
      const asked = new Set(
        [...expressions, ...variables].flatMap(({ expr }) => selectorsOf(expr)).map(({ name }) => name),
      )
      // Counters by status or code exist once there was something to count.
      const later = ['belfry_http_requests_total', 'belfry_disconnections_total']
      const missing = [...asked].filter((name) => !names.has(name) && !ofPrometheus.has(name) && !later.includes(name))
      expect(missing.filter((name) => !ofTheBus.test(name) && !ofWorkers.test(name))).toEqual([])
    } finally {
      await server.stop()
    }
  })

  it('with 10 000 channels has a page no longer than with one', async () => {
    const lines = (channels: number) =>
      withChannels(channels, {}, async ({ metricsUrl }) => {
        const before = performance.now()
        const { series } = await scrape('a', metricsUrl)
        // What it takes on a quiet machine stands in docs/monitoring.md; here only that it is no question of seconds.
        expect(performance.now() - before).toBeLessThan(2000)
        const occupied = series.find(({ name }) => name === 'belfry_channels')?.value
        return { occupied, names: new Set(series.map(({ name, labels }) => JSON.stringify([name, labels]))) }
      })
    const one = await lines(1)
    const many = await lines(10_000)
    expect([one.occupied, many.occupied]).toEqual([1, 10_000])
    // Which kinds of handles and garbage collections a process has had is no matter of ours.
    const ours = (names: ReadonlySet<string>) => [...names].filter((name) => !name.includes('_nodejs_')).sort()
    expect(ours(many.names)).toEqual(ours(one.names))
  })
})

describeWith(['redis'], 'nodes with Redis, used in every way', () => {
  let scrapes: readonly Scraped[] = []

  beforeAll(async () => {
    const redis = await RedisServer.start()
    try {
      scrapes = await eventfulScrapes(redis)
    } finally {
      await redis.close()
    }
  })

  it('every selection of the dashboard and the alerts finds series, by labels that they have', () => {
    const all = scrapes.flatMap(({ series }) => series)
    const problems = expressions.flatMap(({ title, expr }) =>
      selectorsOf(expr).flatMap((selector) => problemsOf(selector, all).map((problem) => `${title}: ${problem}`)),
    )
    expect(problems).toEqual([])
    expect(problemsOf({ name: 'belfry_conected', matchers: [] }, all)).toHaveLength(1)
    expect(problemsOf({ name: 'belfry_webhooks_total', matchers: equal({ outcome: 'givenup' }) }, all)).toHaveLength(1)
    expect(problemsOf({ name: 'belfry_connected', matchers: equal({ app: '' }) }, all)).toHaveLength(1)
  })

  it('every sum is by labels that its series have', () => {
    const problems = expressions.flatMap(({ title, expr }) => {
      const names = new Set(selectorsOf(expr).map(({ name }) => name))
      const labels = labelsOf(scrapes.flatMap(({ series }) => series).filter(({ name }) => names.has(name)))
      return [...groupedBy(expr)].filter((label) => !labels.has(label)).map((label) => `${title}: by ${label}`)
    })
    expect(problems).toEqual([])
  })

  it('every histogram of ours adds up', () => {
    for (const { series, types } of scrapes) {
      const ours = [...types].filter(([name, type]) => type === 'histogram' && !isOfTheLibrary(name))
      for (const [name] of ours) {
        const sums = series.filter((each) => each.name === `${name}_count`)
        expect(sums.length, name).toBeGreaterThan(0)
        for (const { labels, value } of sums) {
          const buckets = series.filter(
            (each) => each.name === `${name}_bucket` && selects({ name, matchers: equal(labels) }, each.labels),
          )
          const counts = buckets.map((each) => each.value)
          expect(counts).toEqual([...counts].sort((one, other) => one - other))
          expect(buckets.at(-1)).toMatchObject({ labels: { le: '+Inf' }, value })
        }
      }
    }
  })

  describeWithPromtool('and promtool', (promtool: Promtool) => {
    it('takes the pages as they are', () => {
      for (const { text: page } of scrapes) {
        const { status, output } = checkMetrics(page)
        const remarks = output.split('\n').filter((line) => line !== '' && !isOfTheLibrary(line))
        expect(remarks).toEqual([])
        // 3 = valid, with remarks: those of the library that makes the metrics of Node.js.
        expect([0, 3]).toContain(status)
      }
    })

    it('gets a value for every panel, and can evaluate every annotation', () => {
      const asked = [
        ...panelExpressions.map(({ expr }) => ({ expr: withoutVariables(expr), mayBeEmpty: false })),
        ...annotations.map(({ expr }) => ({ expr: withoutVariables(expr), mayBeEmpty: true })),
      ]
      expect(evaluate(promtool, scrapes, asked)).toMatchObject({ status: 0 })
      const wrong = [{ expr: 'belfry_conected', mayBeEmpty: false }]
      expect(evaluate(promtool, scrapes, wrong)).toMatchObject({ status: 1 })
    })
  })
})

describeWithPromtool('promtool', (promtool) => {
  it('takes the alert rules', () => {
    expect(promtool('check', 'rules', root + alertsFile)).toMatchObject({ status: 0 })
  })

  it('sees each alert fire, and keep quiet', () => {
    expect(promtool('test', 'rules', root + alertTestsFile)).toMatchObject({ status: 0 })
  })
})

/** Why a selection finds nothing, if it does. */
function problemsOf(selector: Selector, all: readonly Series[]): string[] {
  if (ofPrometheus.has(selector.name)) return []
  const named = all.filter(({ name }) => name === selector.name)
  if (named.length === 0) return [`there is no ${selector.name}`]
  const labels = labelsOf(named)
  const unknown = selector.matchers.filter(({ label }) => !labels.has(label))
  if (unknown.length > 0) return unknown.map(({ label }) => `${selector.name} has no label ${label}`)
  // What Prometheus adds, with a value of its own.
  const target = { job: 'belfry', instance: 'a' }
  return named.some((each) => selects(selector, { ...target, ...each.labels }))
    ? []
    : [`nothing is ${selector.name} with ${JSON.stringify(selector.matchers)}`]
}

function labelsOf(series: readonly Series[]): Set<string> {
  return new Set([...series.flatMap(({ labels }) => Object.keys(labels)), ...targetLabels])
}

function equal(labels: Readonly<Record<string, string>>) {
  return Object.entries(labels).map(([label, value]) => ({ label, operator: '=', value }))
}

/** Names that prom-client gives to what it reads of Node.js; they are a habit of all dashboards for Node.js. */
function isOfTheLibrary(remark: string): boolean {
  return /^belfry_(nodejs|process)_/.test(remark)
}
