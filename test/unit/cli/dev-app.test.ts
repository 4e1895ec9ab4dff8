import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { devAppPath, keptCredentials, readCredentials } from '../../../src/cli/dev-app.js'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'belfry-dev-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

it('makes random credentials once, in a file only its owner can read', () => {
  const first = keptCredentials(directory)
  expect(first.id).toMatch(/^\d{6}$/)
  expect(first.key).toMatch(/^[0-9a-f]{20}$/)
  expect(first.secret).toMatch(/^[0-9a-f]{40}$/)
  expect(statSync(join(directory, devAppPath)).mode & 0o777).toBe(0o600)
  expect(statSync(join(directory, '.belfry')).mode & 0o777).toBe(0o700)
  expect(keptCredentials(directory)).toEqual(first)
  expect(readFileSync(join(directory, devAppPath), 'utf8')).toContain(first.secret)
})

it('makes none when it is only asked for them', () => {
  expect(readCredentials(directory)).toBeUndefined()
})

it.each(['', '{', '[]', '{"id":"1","key":"k"}', '{"id":1,"key":"k","secret":"s"}'])(
  'refuses a damaged file: %j',
  (text) => {
    mkdirSync(join(directory, '.belfry'))
    writeFileSync(join(directory, devAppPath), text)
    expect(() => keptCredentials(directory)).toThrow(
      '.belfry/credentials.json is damaged: remove it, and new credentials are made.',
    )
  },
)

it('says when it cannot write', () => {
  writeFileSync(join(directory, '.belfry'), 'a file where the folder should be')
  expect(() => keptCredentials(directory)).toThrow(
    /^\.belfry\/credentials\.json cannot be (read|written) \((ENOTDIR|EEXIST)\)/,
  )
})
