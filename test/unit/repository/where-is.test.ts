import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '../../..')
const page = readFileSync(join(root, 'docs/architecture.md'), 'utf8')
const answers = [...page.matchAll(/^\| (Where .+?) \| `([^`]+)` \| `([^`]+)` \|$/gm)]

describe('docs/architecture.md', () => {
  it('answers ten questions', () => {
    expect(answers).toHaveLength(10)
  })

  it.each(answers.map(([, question, file, symbol]) => ({ question, file: file ?? '', symbol: symbol ?? '' })))(
    '$question → $file',
    ({ file, symbol }) => {
      expect(readFileSync(join(root, file), 'utf8')).toContain(symbol)
    },
  )

  it('names only files that exist', () => {
    const named = [...page.matchAll(/`((?:core|http|transport|backend|protocol|cli)\/[a-z/-]+\.ts)`/g)].map(
      (match) => match[1] ?? '',
    )
    expect(named.length).toBeGreaterThan(15)
    for (const file of named) expect(() => readFileSync(join(root, 'src', file)), file).not.toThrow()
  })
})
