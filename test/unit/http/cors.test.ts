import { describe, expect, it } from 'vitest'
import { corsHeaders, preflightReply } from '../../../src/http/cors.js'

describe('corsHeaders', () => {
  it.each([
    [[], 'https://a.example', undefined],
    [['*'], 'https://a.example', { 'Access-Control-Allow-Origin': '*' }],
    [
      ['https://a.example'],
      'https://a.example',
      { 'Access-Control-Allow-Origin': 'https://a.example', Vary: 'Origin' },
    ],
    [['https://a.example'], 'https://b.example', undefined],
    [['https://a.example'], '', undefined],
    [
      ['https://*.example'],
      'https://a.example',
      { 'Access-Control-Allow-Origin': 'https://a.example', Vary: 'Origin' },
    ],
    [['https://a.example'], 'https://a.example.evil', undefined],
  ])('%j for %s', (origins, origin, expected) => {
    expect(corsHeaders(origins, origin)).toEqual(expected)
  })
})

describe('preflightReply', () => {
  it('is given only when CORS is configured', () => {
    expect(preflightReply([], 'https://a.example')).toBeUndefined()
  })

  it('allows what the API needs', () => {
    expect(preflightReply(['https://a.example'], 'https://a.example')).toMatchObject({
      status: 204,
      body: '',
      headers: {
        'Access-Control-Allow-Origin': 'https://a.example',
        'Access-Control-Allow-Methods': 'GET, POST, OPTIONS',
      },
    })
  })

  it('allows another origin nothing', () => {
    expect(preflightReply(['https://a.example'], 'https://b.example')?.headers).toEqual({ Vary: 'Origin' })
  })
})
