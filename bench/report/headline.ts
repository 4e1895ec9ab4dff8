/** The part of the main README: few rows, in words for whoever has not read the method. */
import type { ComparedRow } from './comparison.js'
import { serverTitle } from './plot-data.js'
import { figure, markdownTable } from './table.js'

const headlines: readonly (readonly [row: string, work: string])[] = [
  ['fanout-100B', 'deliver one event to 1 000 subscribers (100 B), per delivery'],
  ['fanout-100B-16', 'the same, 16 triggers in flight'],
  ['trigger-one', 'a trigger to one subscriber: signature, validation, delivery'],
  ['client-event', 'a client event with 9 deliveries'],
  ['presence-join', 'join a presence channel of 200'],
  ['connect-private', 'connect and subscribe to a private channel'],
  ['idle-rss', 'memory of an idle subscribed connection'],
  ['start-rss', 'memory at start'],
]

/** Figures of the server under test and, of each reference, the ratio to it. */
export function headlineTable(compared: readonly ComparedRow[]): string {
  const byId = new Map(compared.map((one) => [one.row.id, one]))
  const labels = [...new Set(compared.flatMap(({ comparisons }) => comparisons.map(({ label }) => label)))]
  const header = ['work', 'unit', 'Belfry', ...labels.map((label) => `÷ ${serverTitle(label)}`)]
  const lines = headlines.flatMap(([id, work]) => {
    const one = byId.get(id)
    if (one === undefined) return []
    const ratios = labels.map((label) => one.comparisons.find((comparison) => comparison.label === label)?.ratio)
    return [[work, one.row.unit, figure(one.median), ...ratios.map((ratio) => ratio?.toFixed(2) ?? '–')]]
  })
  return markdownTable([header, ...lines], 2)
}
