import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { presenceSucceededFrame } from '../../../src/protocol/outbound.js'
import { Roster } from '../../../src/protocol/roster.js'

/** What a client reads out of the frame. */
function told(roster: Roster) {
  const { data } = JSON.parse(presenceSucceededFrame('presence-a', roster.escapedJson())) as { data: string }
  return JSON.parse(data) as { presence: { count: number; ids: string[]; hash: Record<string, unknown> } }
}

describe('the roster (2.5)', () => {
  test('of nobody', () => {
    expect(told(new Roster())).toEqual({ presence: { count: 0, ids: [], hash: {} } })
  })

  test('has count, ids in order of arrival and a hash with every id', () => {
    const roster = new Roster()
    roster.add('u2', '{"name":"A \\"quoted\\""}')
    roster.add('10', undefined)
    roster.add('u1', '1.10')
    expect(told(roster)).toEqual({
      presence: { count: 3, ids: ['u2', '10', 'u1'], hash: { u2: { name: 'A "quoted"' }, '10': null, u1: 1.1 } },
    })
    expect(roster.escapedJson()).toContain('1.10')
    expect(roster.userIds()).toEqual(['u2', '10', 'u1'])
    expect([roster.count, roster.has('u1'), roster.has('u3')]).toEqual([3, true, false])
  })

  test('is right after a removal, and after one that was none', () => {
    const roster = new Roster()
    for (const id of ['a', 'b', 'c']) roster.add(id, `"${id}"`)
    roster.delete('b')
    roster.delete('nobody')
    roster.add('d', undefined)
    expect(told(roster).presence.ids).toEqual(['a', 'c', 'd'])
    for (const id of ['a', 'c', 'd']) roster.delete(id)
    expect(told(roster)).toEqual({ presence: { count: 0, ids: [], hash: {} } })
    roster.add('e', undefined)
    expect(told(roster)).toEqual({ presence: { count: 1, ids: ['e'], hash: { e: null } } })
  })

  test('gives the member_added frame of a user', () => {
    const roster = new Roster()
    roster.add('u', '{"n":1.0}')
    roster.add('v', undefined)
    expect(roster.addedFrame('presence-a', 'u')).toContain('{\\"user_id\\":\\"u\\",\\"user_info\\":{\\"n\\":1.0}}')
    expect(roster.addedFrame('presence-a', 'v')).toContain('"{\\"user_id\\":\\"v\\"}"')
  })

  test('agrees with a map after any history, for any id and any JSON', () => {
    const change = fc.record({
      id: fc.oneof(fc.constantFrom('a', 'b', '__proto__', '1'), fc.string({ unit: 'grapheme', minLength: 1 })),
      info: fc.option(fc.json(), { nil: undefined }),
      adds: fc.boolean(),
      looks: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(change, { maxLength: 30 }), (changes) => {
        const roster = new Roster()
        const model = new Map<string, string | undefined>()
        for (const { id, info, adds, looks } of changes) {
          if (!adds) {
            roster.delete(id)
            model.delete(id)
          } else if (!model.has(id)) {
            roster.add(id, info)
            model.set(id, info)
          }
          // Looking in between makes the prepared text, which the next change must not leave stale.
          if (looks) roster.escapedJson()
        }
        const { presence } = told(roster)
        expect(presence.count).toBe(model.size)
        expect(presence.ids).toEqual([...model.keys()])
        expect(new Map(Object.entries(presence.hash))).toEqual(
          new Map([...model].map(([id, info]): [string, unknown] => [id, JSON.parse(info ?? 'null')])),
        )
      }),
      { numRuns: 200 },
    )
  })
})
