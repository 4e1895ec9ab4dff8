import { readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { loaded } from './load-fixture.js'

const folder = new URL('../../../config/', import.meta.url)
const examples = readdirSync(folder).filter((name) => name.endsWith('.yaml'))

it('there are examples', () => {
  expect(examples.length).toBeGreaterThan(0)
})

it.each(examples)('config/%s is accepted without a warning', (name) => {
  const text = readFileSync(new URL(name, folder), 'utf8')
  const secrets = [...text.matchAll(/secretFile: ([^\s}]+)/g)].map(([, file]) => [file, 'a secret of some length'])
  const { notes } = loaded({ files: { 'belfry.yaml': text, ...Object.fromEntries(secrets) } })
  expect(notes).toEqual([])
})
