/** The configuration as `belfry check` shows it: every value in effect, no secret. */
import { stringify } from 'yaml'
import { shownAddress } from './addresses.js'
import { factsOf, type Shape } from './declare.js'
import { isObject } from './draft.js'
import { configSchema, type Config } from './schema.js'

const hidden = '(hidden)'

/** YAML in the order of the reference page. */
export function effectiveConfigText(config: Config): string {
  return stringify(withoutSecrets(config, configSchema.shape), { lineWidth: 0 })
}

/** Keeps what the tree declares and shows; what it does not declare is left out, so that nothing slips through. */
function withoutSecrets(value: object, shape: Shape): Record<string, unknown> {
  const entries = new Map(Object.entries(value))
  return Object.fromEntries(
    Object.entries(shape).flatMap(([name, schema]) => {
      const entry: unknown = entries.get(name)
      return entry === undefined ? [] : [[name, withoutSecret(entry, factsOf(schema))]]
    }),
  )
}

function withoutSecret(value: unknown, facts: ReturnType<typeof factsOf>): unknown {
  const { shape } = facts
  if (shape !== undefined && Array.isArray(value)) {
    return value.map((item: unknown) => (isObject(item) ? withoutSecrets(item, shape) : hidden))
  }
  if (shape !== undefined && isObject(value)) return withoutSecrets(value, shape)
  if (facts.secret === true) return hidden
  if (typeof value !== 'string') return value
  return facts.address === true ? shownAddress(value) : value.replace(/\/\/[^/@]*@/, '//…@')
}
