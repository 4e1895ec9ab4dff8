import { describe, expect, test } from 'vitest'
import { originAllowed } from '../../../src/core/origin.js'

describe('origins', () => {
  test.each([
    ['*', 'https://anything.example'],
    ['*', ''],
    ['*', 'null'],
    ['https://example.com', 'https://example.com'],
    ['https://example.com', 'https://example.com:443'],
    ['https://example.com:443', 'https://example.com'],
    ['https://Example.com', 'HTTPS://EXAMPLE.COM'],
    ['https://example.com/', 'https://example.com'],
    ['http://localhost:3000', 'http://localhost:3000'],
    ['example.com', 'http://example.com'],
    ['example.com', 'https://example.com:8443'],
    ['example.com:8443', 'https://example.com:8443'],
    ['*.example.com', 'https://a.example.com'],
    ['*.example.com', 'https://a.b.example.com:444'],
    ['https://*.example.com', 'https://a.example.com'],
    ['[::1]', 'http://[::1]:3000'],
    ['app://bundle', 'app://bundle'],
    ['chrome-extension://abcdef', 'chrome-extension://abcdef'],
  ])('%s allows %s', (pattern, origin) => {
    expect(originAllowed(origin, ['https://other.test', pattern])).toBe(true)
  })

  test.each([
    ['https://example.com', 'http://example.com'],
    ['https://example.com', 'https://example.com:8443'],
    ['https://example.com:8443', 'https://example.com'],
    ['https://example.com', 'https://example.com.evil.test'],
    ['https://example.com', 'https://evil-example.com'],
    ['example.com', 'https://a.example.com'],
    ['example.com', 'https://example.com.evil.test'],
    ['example.com', 'https://example.com@evil.test'],
    ['example.com', 'https://evil.test/example.com'],
    ['example.com:8443', 'https://example.com'],
    ['*.example.com', 'https://example.com'],
    ['*.example.com', 'https://evilexample.com'],
    ['*.example.com', 'https://evil.test/.example.com'],
    ['https://*.example.com', 'http://a.example.com'],
    ['https://*.example.com', 'https://a.example.com:8443'],
    ['example.com', 'null'],
    ['example.com', ''],
    ['example.com', 'example.com'],
    ['example.com', 'https://'],
    ['', 'https://example.com'],
    ['https://exa*.com', 'https://example.com'],
  ])('%s does not allow %s', (pattern, origin) => {
    expect(originAllowed(origin, [pattern])).toBe(false)
  })

  test('an empty list allows nobody', () => {
    expect(originAllowed('https://example.com', [])).toBe(false)
  })
})
