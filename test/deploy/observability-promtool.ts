/** promtool, Prometheus's own checker: where it is, and the files that it is given. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { describeWith } from '../requirements.js'
import type { Scraped } from './observability-scrapes.js'

export interface Outcome {
  readonly status: number | null
  readonly output: string
}

export type Promtool = (...args: readonly string[]) => Outcome

/** `describe` for what only promtool can tell. */
export function describeWithPromtool(title: string, body: (promtool: Promtool) => void): void {
  describeWith(['promtool'], title, (program) => body((...args) => run(program, args, '')))
}

/** What promtool thinks of a page: 0 = valid, 3 = valid, with remarks about names. */
export function checkMetrics(page: string): Outcome {
  return run('promtool', ['check', 'metrics'], page)
}

function run(program: string, args: readonly string[], input: string): Outcome {
  const { status, stdout, stderr } = spawnSync(program, args, { input, encoding: 'utf8', timeout: 60_000 })
  return { status, output: `${stdout}${stderr}` }
}

/**
 * Lets promtool evaluate each expression half an hour into the life of series that were really scraped: gauges stay, counters and
 * histograms grow by the scraped value each minute. An expression holds when it gives at least one value, or with `mayBeEmpty`
 * when it can be evaluated at all.
 */
export function evaluate(
  promtool: Promtool,
  scrapes: readonly Scraped[],
  expressions: readonly { readonly expr: string; readonly mayBeEmpty: boolean }[],
): Outcome {
  const content = {
    evaluation_interval: '1m',
    tests: [
      {
        interval: '1m',
        input_series: scrapes.flatMap(inputSeries),
        promql_expr_test: expressions.map(({ expr, mayBeEmpty }) => ({
          expr: mayBeEmpty ? `(count(${expr}) or vector(0)) >= bool 0` : `count(${expr}) > bool 0`,
          eval_time: '30m',
          exp_samples: [{ labels: '{}', value: 1 }],
        })),
      },
    ],
  }
  const folder = mkdtempSync(join(tmpdir(), 'belfry-promtool-'))
  try {
    const file = join(folder, 'expressions.test.yaml')
    writeFileSync(file, stringify(content))
    return promtool('test', 'rules', file)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function inputSeries({ instance, series, types }: Scraped): { series: string; values: string }[] {
  return series.map(({ name, labels, value }) => {
    const all = Object.entries({ job: 'belfry', instance, ...labels })
    const pairs = all.map(([label, text]) => `${label}=${JSON.stringify(text)}`).join(',')
    const grows = types.get(name) !== 'gauge'
    return { series: `${name}{${pairs}}`, values: grows ? `0+${value}x40` : `${value}x40` }
  })
}
