import { describe, expect, it } from 'vitest'
import { decodePercent, parseQuery } from '../../../src/protocol/rest-query.js'

describe('parseQuery', () => {
  it.each([
    ['', '', undefined],
    ['a=1&b=2', 'a=1&b=2', undefined],
    ['b=2&a=1', 'a=1&b=2', undefined],
    ['B=2&a=X', 'a=X&b=2', undefined],
    ['a=1&auth_signature=x', 'a=1', undefined],
    ['auth_signature=x&a=1', 'a=1', undefined],
    ['a=1&auth_signature=x&b=2', 'a=1&b=2', undefined],
    ['auth_signature=x', '', undefined],
    ['b=2&AUTH_signature=x&a=1', 'a=1&b=2', undefined],
    ['a=1&&b=2&', 'a=1&b=2', undefined],
    ['a&b', 'a=&b=', undefined],
    ['=1', '=1', undefined],
    ['a=b=c', 'a=b=c', undefined],
    ['c[]=2&c[]=1&a=0', 'a=0&c[]=2&c[]=1', undefined],
    ['a=x%20y', 'a=x y', 'a=x%20y'],
    ['a=x+y', 'a=x y', 'a=x+y'],
    ['b=1&%61=%2B', 'a=+&b=1', 'a=%2B&b=1'],
    ['c%5B%5D=1&c%5B%5D=2', 'c[]=1&c[]=2', 'c[]=1&c[]=2'],
    ['a=%zz%', 'a=%zz%', 'a=%zz%'],
    ['a=%C3%BC', 'a=ü', 'a=%C3%BC'],
    ['a=ü%zz%C3%BC', 'a=ü%zzü', 'a=ü%zz%C3%BC'],
  ])('%j signs %j', (query, signed, rawSigned) => {
    const parsed = parseQuery(query)
    expect(parsed.signed).toBe(signed)
    expect(parsed.raw?.signed).toBe(rawSigned)
    expect(parsed.duplicate).toBeUndefined()
  })

  it.each([
    ['a=1&a=1', 'a'],
    ['a=1&b=2&a=3', 'a'],
    ['a=1&A=1', 'a'],
    ['a=1&%61=1', 'a'],
    ['auth_signature=1&a=1&auth_signature=2', 'auth_signature'],
    ['__proto__=1&__proto__=2', '__proto__'],
    ['&a&a', 'a'],
    ['=1&=2', ''],
  ])('%j repeats %j', (query, name) => {
    expect(parseQuery(query).duplicate).toBe(name)
  })

  it('gives values by name', () => {
    const { params, raw } = parseQuery('__proto__=p&x%5b%5d=1&X[]=%32&empty=&none')
    expect(params.get('__proto__')).toBe('p')
    expect(params.all('x[]')).toEqual(['1', '2'])
    expect(raw?.params.all('x[]')).toEqual(['1', '%32'])
    expect([params.get('empty'), params.get('none'), params.get('constructor')]).toEqual(['', '', undefined])
  })

  it('a 16 KB query of nothing but separators costs no time worth naming', () => {
    const startMs = performance.now()
    for (const piece of ['&', '=', 'a&', '%', '+', 'a=1&', '%41', 'c[]=&'])
      parseQuery(piece.repeat(16_384 / piece.length))
    expect(performance.now() - startMs).toBeLessThan(500)
  })
})

describe('decodePercent', () => {
  it.each([
    ['', ''],
    ['a+b', 'a+b'],
    ['%41%42', 'AB'],
    ['%c3%BC', 'ü'],
    ['%', '%'],
    ['%4', '%4'],
    ['%4g%41', '%4gA'],
    ['%ff', '\ufffd'],
    ['%00', '\u0000'],
    ['%E0%A4%A', '\ufffd%A'],
  ])('%j is %j', (text, decoded) => {
    expect(decodePercent(text)).toBe(decoded)
  })
})
