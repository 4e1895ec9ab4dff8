import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { errorNotes } from '../../../.ci/error-notes.js'
import { errors } from '../../../src/protocol/errors.js'
import { restErrors } from '../../../src/protocol/rest-errors.js'

const page = readFileSync(fileURLToPath(new URL('../../../docs/troubleshooting.md', import.meta.url)), 'utf8')

/** The column whose code is what Belfry says, word by word; `…` stands for values. */
const heading = 'Belfry says'

/** Every error text there is, with sample values. */
const texts = [
  ...Object.values(errorNotes).map(({ example }) => example.message),
  ...Object.values(restErrors).map(({ example }) => example),
]

/** What ends a connection: who has it, looks for it here. */
const closing = Object.values(errorNotes).filter(({ effect }) => effect === 'closes')
/** Only those who write a client meet these, and read docs/errors.md. */
const ofAuthors: ReadonlySet<string> = new Set(
  [errors.unsupportedVersion(), errors.versionRequired(), errors.userTerminated()].map(({ message }) => message),
)

describe('docs/troubleshooting.md', () => {
  const quotes = quotesOf(page)

  it('quotes error texts', () => {
    expect(quotes.length).toBeGreaterThan(40)
  })

  it.each([...new Set(quotes)])('%s is what Belfry says', (quote) => {
    expect(texts.filter((text) => isQuoteOf(quote, text))).not.toEqual([])
  })

  it.each(closing.map(({ example }) => example.message).filter((text) => !ofAuthors.has(text)))(
    'has an entry for the close %s',
    (text) => {
      expect(quotes.filter((quote) => isQuoteOf(quote, text))).not.toEqual([])
    },
  )
})

describe('the check', () => {
  const sentence = errors.unknownKey('abc').message

  it.each([
    [sentence],
    ['App key … not in this cluster. Did you forget to specify the cluster?'],
    ['App key … not in this cluster. …'],
    ['App key …'],
  ])('takes %s', (quote) => {
    expect(isQuoteOf(quote, sentence)).toBe(true)
  })

  it.each([
    ['App key … not in this cluster'],
    ['App key … is not in this cluster. Did you forget to specify the cluster?'],
    ['not in this cluster. …'],
    ['…'],
    [''],
  ])('refuses %j', (quote) => {
    expect(isQuoteOf(quote, sentence)).toBe(false)
  })

  it('reads the named column of every table that has it, and no other', () => {
    const text = [
      `| ${heading} | code |`,
      '|---|---|',
      '| `a \\| b …` | `c` |',
      '',
      '`d`',
      '',
      `| e | ${heading} |`,
      '| --- | --- |',
      '| `f` | 401 `g`, `h` |',
      '| `i` | nothing |',
      '',
      '| j |',
      '|---|',
      '| `k` |',
    ].join('\n')
    expect(quotesOf(text)).toEqual(['a | b …', 'g', 'h'])
  })
})

/** The code in the columns headed `Belfry says`. */
function quotesOf(text: string): string[] {
  const tables = text.split(/\n\s*\n/).map((block) => block.split('\n').filter((line) => line.startsWith('|')))
  return tables.flatMap(([head = '', , ...rows]) => {
    const column = cellsOf(head).indexOf(heading)
    if (column === -1) return []
    return rows.flatMap((row) =>
      [...(cellsOf(row)[column] ?? '').matchAll(/`([^`]+)`/g)].map(([, quote = '']) => quote),
    )
  })
}

function cellsOf(row: string): string[] {
  return row
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim().replaceAll('\\|', '|'))
}

/** Whether the text is that of the quote, which begins as the text does; each `…` is something. */
function isQuoteOf(quote: string, text: string): boolean {
  if (quote === '' || quote.startsWith('…')) return false
  const parts = quote.split('…').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${parts.join('.+')}$`, 's').test(text)
}
