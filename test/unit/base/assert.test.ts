import { describe, expect, it } from 'vitest'
import { assert, unreachable } from '../../../src/base/assert.js'

describe('assert', () => {
  it('lets true and truthy conditions pass', () => {
    expect(() => assert(true, 'never')).not.toThrow()
    expect(() => assert('x', 'never')).not.toThrow()
  })

  it.each([false, 0, '', null, undefined])('throws with its message for %j', (condition) => {
    expect(() => assert(condition, 'the roster has its member')).toThrow('assertion failed: the roster has its member')
  })
})

describe('unreachable', () => {
  it('throws what it met, for a value that the compiler could not know', () => {
    const fromOutside: unknown = 'surprise'
    expect(() => unreachable(fromOutside as never)).toThrow('unreachable: surprise')
  })
})
