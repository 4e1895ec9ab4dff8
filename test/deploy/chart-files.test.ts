/** What can be said of the chart without helm. */
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { load } from '../unit/config/load-fixture.js'
import { chartFolder, exampleFile, exampleNames, pick, read } from './chart-fixture.js'

const schema: unknown = JSON.parse(read('deploy/helm/belfry/values.schema.json'))
const values: unknown = parse(read('deploy/helm/belfry/values.yaml'))

describe('values.schema.json', () => {
  it('knows the same values as values.yaml', () => {
    const known = Object.keys(Object(pick(schema, 'properties'))).filter((name) => name !== 'global')
    expect(Object.keys(Object(values)).sort()).toEqual(known.sort())
  })

  it('lets nothing unknown pass', () => {
    expect(openObjects(schema, 'properties')).toEqual([])
  })
})

describe('values.yaml', () => {
  it('says of each value what it is', () => {
    const lines = readFileSync(join(chartFolder, 'values.yaml'), 'utf8').split('\n')
    expect(lines.filter((line) => line.startsWith('#') || /^ +#/.test(line)).length).toBeGreaterThan(40)
  })

  it('ships no credentials', () => {
    expect(pick(values, 'apps')).toEqual([])
    expect([pick(values, 'existingSecret'), pick(values, 'redis', 'url')]).toEqual(['', ''])
  })
})

describe('Chart.yaml', () => {
  it('is of the version of Belfry', () => {
    const { appVersion } = parse(read('deploy/helm/belfry/Chart.yaml')) as { appVersion: unknown }
    const { version } = JSON.parse(read('package.json')) as { version: unknown }
    expect(appVersion).toBe(version)
  })
})

describe('the examples', () => {
  it('are those of the specification', () => {
    expect(exampleNames).toEqual(expect.arrayContaining(['one-node', 'three-nodes-redis', 'autoscaling']))
  })

  it.each(exampleNames)('%s: config is accepted by Belfry without a warning', (name) => {
    const example: unknown = parse(readFileSync(exampleFile(name), 'utf8'))
    const apps = [{ id: '1', key: 'key-1', secret: 'a secret of some length' }]
    const redis = pick(example, 'redis') === undefined ? {} : { redis: { url: 'redis://redis:6379/0' } }
    const text = JSON.stringify({ ...Object(pick(example, 'config')), ...redis, apps })
    const outcome = load({ files: { 'belfry.yaml': text } })
    expect(outcome).toMatchObject({ ok: true, notes: [] })
  })

  it.each(exampleNames)('%s: every value is known', (name) => {
    expect(unknownKeys(parse(readFileSync(exampleFile(name), 'utf8')), schema)).toEqual([])
  })
})

describe('the templates', () => {
  it('keep to files that say what they make', () => {
    const files = readdirSync(join(chartFolder, 'templates')).filter((file) => file.endsWith('.yaml'))
    expect(files.length).toBeGreaterThan(10)
    for (const file of files) expect(read(`deploy/helm/belfry/templates/${file}`)).toMatch(/^kind: /m)
  })
})

/** Paths of objects with properties of ours that let others pass. */
function openObjects(node: unknown, path: string): string[] {
  if (typeof node !== 'object' || node === null) return []
  const open = pick(node, 'properties') !== undefined && pick(node, 'additionalProperties') !== false
  return [
    ...(open ? [path] : []),
    ...Object.entries(node).flatMap(([name, inner]) => openObjects(inner, `${path}.${name}`)),
  ]
}

/** Keys that the schema's objects with a fixed list of properties do not list. */
function unknownKeys(value: unknown, node: unknown, path = ''): string[] {
  const properties: unknown = pick(node, 'properties')
  if (properties === undefined || typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, inner]) => {
    const own = `${path}.${name}`
    return pick(properties, name) === undefined ? [own] : unknownKeys(inner, pick(properties, name), own)
  })
}
