import { describe, expect, it } from 'vitest'
import { StaticAppRegistry } from '../../../src/apps/static.js'
import type { AppSettings } from '../../../src/core/ports/app.js'
import type { AppChange } from '../../../src/core/ports/app-registry.js'
import { appSettings } from '../../fakes/app-settings.js'

const app = (id: string, changes: Partial<AppSettings> = {}) =>
  appSettings({ id, keys: [{ key: `key-${id}`, secret: `secret-${id}` }], ...changes })
const summary = ({ updated, removed }: AppChange) => ({ updated: updated.map(({ id }) => id), removed })

describe('a registry', () => {
  it('finds apps by id and by each of their keys', () => {
    const keys = [
      { key: 'old', secret: 's1' },
      { key: 'new', secret: 's2' },
    ]
    const registry = new StaticAppRegistry([app('a', { keys }), app('b', { enabled: false }), app('__proto__')])
    expect(registry.byKey('new')).toBe(registry.byId('a'))
    expect(registry.byKey('old')).toBe(registry.byId('a'))
    expect(registry.byId('b')?.enabled).toBe(false)
    expect(registry.byId('__proto__')?.id).toBe('__proto__')
    expect([registry.byId('c'), registry.byKey('toString'), registry.byId('constructor')]).toEqual([
      undefined,
      undefined,
      undefined,
    ])
    expect([...registry.all()].map(({ id }) => id)).toEqual(['a', 'b', '__proto__'])
  })

  it('prepares the keys in their order, and hands out no secret', () => {
    const keys = [
      { key: 'old', secret: 's1' },
      { key: 'new', secret: 's2' },
    ]
    const found = new StaticAppRegistry([app('a', { keys })]).byId('a')!
    expect([...found.signers.keys()]).toEqual(['old', 'new'])
    expect(found.signers.get('new')?.verify('text', found.signers.get('new')!.sign('text'))).toBe(true)
    expect(JSON.stringify(found)).not.toContain('s1')
  })

  it('refuses a list with an id or a key twice', () => {
    expect(() => new StaticAppRegistry([app('a'), app('a')])).toThrow('app id a is listed twice')
    expect(() => new StaticAppRegistry([app('a'), app('b', { keys: [{ key: 'key-a', secret: 's' }] })])).toThrow(
      'two apps',
    )
  })
})

describe('replacing the list', () => {
  it('tells what became different, and keeps what did not as the same object', () => {
    const registry = new StaticAppRegistry([app('same'), app('gone'), app('changed'), app('rekeyed')])
    const same = registry.byId('same')
    const changes: AppChange[] = []
    registry.onChange((change) => changes.push(change))
    const rekeyed = app('rekeyed', { keys: [{ key: 'key-rekeyed', secret: 'another' }] })
    registry.replace([app('new'), app('same'), app('changed', { enabled: false }), rekeyed])
    expect(changes.map(summary)).toEqual([{ updated: ['new', 'changed', 'rekeyed'], removed: ['gone'] }])
    expect(registry.byId('same')).toBe(same)
    expect(changes[0]?.updated[1]).toBe(registry.byId('changed'))
    expect([registry.byId('gone'), registry.byKey('key-gone')]).toEqual([undefined, undefined])
  })

  it('has taken effect when listeners hear of it', () => {
    const registry = new StaticAppRegistry([app('a')])
    const settings = [app('a', { enabled: false })]
    registry.onChange(() => expect([registry.byId('a')?.enabled, registry.settings]).toEqual([false, settings]))
    registry.replace(settings)
    expect.assertions(1)
  })

  it('says nothing when nothing changed', () => {
    const registry = new StaticAppRegistry([app('a'), app('b')])
    registry.onChange(() => expect.unreachable())
    expect(summary(registry.replace([app('b'), app('a')]))).toEqual({ updated: [], removed: [] })
  })

  it('says nothing to a listener that has left', () => {
    const registry = new StaticAppRegistry([app('a')])
    let heard = 0
    const leave = registry.onChange(() => heard++)
    registry.onChange(() => heard++)
    leave()
    leave()
    registry.replace([])
    expect(heard).toBe(1)
  })

  it('lets a key move from one app to another', () => {
    const registry = new StaticAppRegistry([app('a'), app('b')])
    const moved = [
      app('a', { keys: [{ key: 'key-b', secret: 's' }] }),
      app('b', { keys: [{ key: 'key-a', secret: 's' }] }),
    ]
    expect(summary(registry.replace(moved)).updated).toEqual(['a', 'b'])
    expect(registry.byKey('key-b')?.id).toBe('a')
  })
})
