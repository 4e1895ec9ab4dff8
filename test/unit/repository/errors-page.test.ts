import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { errorNotes } from '../../../.ci/error-notes.js'
import { errorsPage } from '../../../.ci/errors-page.js'
import { generatedFiles } from '../../../.ci/generate.js'
import { errors } from '../../../src/protocol/errors.js'
import { restErrors } from '../../../src/protocol/rest-errors.js'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !/^protocol.(?:rest-)?errors\.ts$/.test(file))
  .map((file) => readFileSync(join(root, 'src', file), 'utf8'))
  .join('\n')

describe('docs/errors.md', () => {
  it('is what the lists of errors make of it; npm run generate writes it anew', async () => {
    const written = (await generatedFiles()).get('docs/errors.md')
    expect(readFileSync(join(root, 'docs/errors.md'), 'utf8')).toBe(written)
  })

  it('shows every error with its text', () => {
    const page = errorsPage().replaceAll('\\|', '|')
    const texts = [
      ...Object.values(errorNotes).map(({ example }) => example.message),
      ...Object.values(restErrors).map(({ example }) => example),
    ]
    expect(texts.length).toBeGreaterThan(70)
    expect(texts.filter((text) => !page.includes(text))).toEqual([])
  })

  it('has no row that the others do not have the columns of', () => {
    const tables = errorsPage()
      .split(/\n\n/)
      .filter((block) => block.startsWith('|'))
    expect(tables).toHaveLength(5)
    for (const table of tables) {
      const columns = table.split('\n').map((row) => row.split(/(?<!\\)\|/).length)
      expect(new Set(columns).size, table.slice(0, 100)).toBe(1)
    }
  })
})

describe('the notes of the errors', () => {
  it.each(Object.entries(errorNotes))('%s: an effect that fits the code, and sentences without an end', (_, note) => {
    const { effect, example, when, advice } = note
    if (effect === 'closes') expect([1009, ...range(4000, 4299)]).toContain(example.code)
    else if (effect === 'tells') expect([null, 4009, 4301, 4302]).toContain(example.code)
    else expect(example.code).toBeNull()
    for (const text of [when, advice]) expect(text).toMatch(/^[^\n]+[^.\n]$/)
    expect(example.message).not.toMatch(/undefined|NaN/)
  })

  it('give each error its own example', () => {
    const messages = Object.values(errorNotes).map(({ example }) => example.message)
    expect(messages).toHaveLength(Object.keys(errors).length)
    expect(new Set(messages).size).toBe(messages.length)
  })
})

describe('the lists of errors', () => {
  it.each(Object.keys(errors))('errors.%s is sent somewhere', (name) => {
    expect(sources).toMatch(new RegExp(`\\berrors\\.${name}\\b`))
  })

  it.each(Object.keys(restErrors))('restErrors.%s is sent somewhere', (name) => {
    expect(sources).toMatch(new RegExp(`\\brestErrors\\.${name}\\b`))
  })
})

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index)
}
