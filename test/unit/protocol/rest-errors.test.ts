import { describe, expect, it } from 'vitest'
import { refuse, restErrors } from '../../../src/protocol/rest-errors.js'

describe('the list of REST errors', () => {
  it.each(Object.entries(restErrors))('%s has a status, a reason and one line of text', (_, error) => {
    expect(error.status).toBeGreaterThanOrEqual(400)
    expect(error.when).toMatch(/^.+[^.]$/)
    expect(error.example).toMatch(/^[^\n]+$/)
    expect(error.example).not.toContain('undefined')
  })

  it('repeats values from outside quoted and cut', () => {
    const { text } = refuse(restErrors.invalidChannel, `a\n\u001b[31m${'x'.repeat(5000)}`)
    expect(text).toContain('"a\\n\\u001b[31mxxx')
    expect(text.length).toBeLessThan(400)
  })

  it('repeats a long string to sign only in part', () => {
    expect(refuse(restErrors.invalidSignature, 'x'.repeat(100_000), 'y'.repeat(100_000)).text.length).toBeLessThan(4500)
  })

  it('is unharmed by a lone surrogate at the cut', () => {
    expect(Buffer.from(refuse(restErrors.unknownPath, `${'x'.repeat(199)}😀`).text).toString()).not.toContain('\ufffd')
  })
})
