/** The dashboard and the alert rules as the repository has them, and what their expressions name. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'

export const root = fileURLToPath(new URL('../../', import.meta.url))
export const alertsFile = 'deploy/helm/belfry/files/alerts.yaml'
export const alertTestsFile = 'deploy/prometheus/alerts.test.yaml'

export interface Target {
  readonly expr: string
  readonly legendFormat: string
  readonly refId: string
  readonly datasource: { readonly uid: string }
}

export interface Panel {
  readonly id: number
  readonly title: string
  readonly type: string
  readonly description?: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly datasource?: { readonly uid: string }
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } }
  readonly targets?: readonly Target[]
}

export interface Dashboard {
  readonly uid: string
  readonly title: string
  readonly schemaVersion: number
  readonly panels: readonly Panel[]
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] }
  readonly annotations: { readonly list: readonly { readonly name: string; readonly expr?: string }[] }
}

export interface AlertRule {
  readonly alert: string
  readonly expr: string
  readonly for?: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

export interface RuleTest {
  readonly alert_rule_test: readonly {
    readonly alertname: string
    readonly eval_time: string
    readonly exp_alerts: readonly unknown[]
  }[]
}

export const dashboard = JSON.parse(text('deploy/helm/belfry/files/dashboard.json')) as Dashboard
export const alertRules = (
  parse(text(alertsFile)) as { groups: readonly { rules: readonly AlertRule[] }[] }
).groups.flatMap(({ rules }) => rules)
export const ruleTests = (parse(text(alertTestsFile)) as { tests: readonly RuleTest[] }).tests

/** Panels that draw something, so no rows. */
export const charts = dashboard.panels.filter(({ type }) => type !== 'row')

export function text(path: string): string {
  return readFileSync(root + path, 'utf8')
}

/** An expression of the dashboard as Prometheus gets it, with everything chosen. */
export function withoutVariables(expr: string): string {
  return expr.replaceAll('$__rate_interval', '5m').replaceAll(/\$(?:job|instance|app_id)\b/g, '.*')
}

export interface Matcher {
  readonly label: string
  readonly operator: string
  readonly value: string
}

export interface Selector {
  readonly name: string
  readonly matchers: readonly Matcher[]
}

const keywords = new Set(['and', 'or', 'unless', 'bool'])
const functions = new Set(
  'absent avg avg_over_time count histogram_quantile increase last_over_time max min rate sum time'.split(' '),
)

/**
 * The metrics that a PromQL expression selects. Everything that is no known function or keyword is taken for one, so that a
 * misspelt name is not overlooked.
 */
export function selectorsOf(expr: string): Selector[] {
  const plain = expr
    .replaceAll(/\b(?:by|on|without|ignoring)\s*\([^)]*\)/g, ' ')
    .replaceAll(/\[[^\]]*\]/g, ' ')
    .replaceAll(/\boffset\s+\w+/g, ' ')
  const found: Selector[] = []
  for (const [, name = '', end = '', matchers = ''] of plain.matchAll(/([a-zA-Z_:][\w:]*)\s*(\(|\{([^}]*)\})?/g)) {
    if (keywords.has(name) && end === '') continue
    if (functions.has(name) && end === '(') continue
    found.push({ name, matchers: matchersOf(matchers) })
  }
  return found
}

function matchersOf(text: string): Matcher[] {
  return [...text.matchAll(/(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"/g)].map(([, label = '', operator = '', value = '']) => ({
    label,
    operator,
    value,
  }))
}

/** Whether a series with these labels is selected. A label that is not there is empty, as in Prometheus. */
export function selects({ matchers }: Selector, labels: Readonly<Record<string, string>>): boolean {
  return matchers.every(({ label, operator, value }) => {
    const is = operator.endsWith('~')
      ? new RegExp(`^(?:${value})$`).test(labels[label] ?? '')
      : (labels[label] ?? '') === value
    return operator.startsWith('!') ? !is : is
  })
}

/** The labels by which an expression groups. */
export function groupedBy(expr: string): Set<string> {
  const groups = [...expr.matchAll(/\bby\s*\(([^)]*)\)/g)].flatMap(([, labels = '']) => labels.split(','))
  return new Set(groups.map((label) => label.trim()).filter((label) => label !== ''))
}
