/**
 * deploy/helm/belfry/values.schema.json: the chart's own values are written there by hand, `config` and `apps` are those of a
 * configuration file.
 */
import { configJsonSchema } from './config-json-schema.js'

interface ObjectSchema {
  readonly properties: Readonly<Record<string, unknown>>
}

/** What a file names that is not the chart's to know, or what the chart sets itself. */
const notInConfig = new Set(['$schema', 'apps', 'appsFile'])

/** @param current the schema as it stands, as text */
export function chartValuesSchema(current: string): string {
  const schema = JSON.parse(current) as ObjectSchema
  const { properties } = JSON.parse(configJsonSchema()) as ObjectSchema
  const config = {
    description: "Belfry's configuration without apps and the address of Redis.",
    type: 'object',
    properties: {
      ...Object.fromEntries(Object.entries(properties).filter(([name]) => !notInConfig.has(name))),
      // Refused by a template, with a sentence that says where they belong.
      apps: true,
      appsFile: true,
      port: { description: 'Port for WebSocket and REST.', type: 'integer', minimum: 1, maximum: 65_535 },
    },
    additionalProperties: false,
  }
  const whole = { ...schema, properties: { ...schema.properties, config, apps: properties['apps'] } }
  return `${JSON.stringify(whole, undefined, 2)}\n`
}
