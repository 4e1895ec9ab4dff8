import { describe, expect, test, vi } from 'vitest'
import type { AppSettings } from '../../src/core/ports/app.js'
import type { AppChange, AppRegistry } from '../../src/core/ports/app-registry.js'
import { appSettings } from '../fakes/app-settings.js'

export interface RegistrySubject {
  readonly registry: AppRegistry
  /** Makes this the list of apps; resolves when the registry knows. */
  replace(settings: readonly AppSettings[]): Promise<void>
}

/** What every AppRegistry must do (src/core/ports/app-registry.ts). */
export function appRegistryContract(name: string, make: (settings: readonly AppSettings[]) => RegistrySubject): void {
  describe(`AppRegistry of ${name}`, () => {
    const one = appSettings({ id: '1', keys: [key('k1')] })
    const two = appSettings({ id: '2', keys: [key('k2'), key('k2-new')] })

    test('finds apps by every key and by id, enabled or not', () => {
      const off = appSettings({ id: '3', keys: [key('k3')], enabled: false })
      const { registry } = make([one, two, off])
      expect(registry.byKey('k1')).toMatchObject({ id: '1' })
      expect(registry.byKey('k2')).toBe(registry.byId('2'))
      expect(registry.byKey('k2-new')).toBe(registry.byId('2'))
      expect(registry.byKey('k3')).toMatchObject({ id: '3', enabled: false })
      expect([...registry.all()].map(({ id }) => id)).toEqual(['1', '2', '3'])
    })

    test.each(['__proto__', 'constructor', 'toString', '', 'k'])('knows no app %j', (unknown) => {
      const { registry } = make([one])
      expect(registry.byKey(unknown)).toBeUndefined()
      expect(registry.byId(unknown)).toBeUndefined()
    })

    test('an app called __proto__ is an app', () => {
      const { registry } = make([appSettings({ id: '__proto__', keys: [key('constructor')] })])
      expect(registry.byId('__proto__')).toMatchObject({ id: '__proto__' })
      expect(registry.byKey('constructor')).toBe(registry.byId('__proto__'))
    })

    test('signs with each key, in the order of the settings, and shows no secret', () => {
      const { registry } = make([two])
      const app = registry.byId('2')!
      expect([...app.signers.keys()]).toEqual(['k2', 'k2-new'])
      expect(app.signers.get('k2')?.sign('x')).not.toBe(app.signers.get('k2-new')?.sign('x'))
      expect(JSON.stringify(app)).not.toContain('secret-of')
    })

    test('tells what was added, changed and removed, and looks it up anew', async () => {
      const { registry, replace } = make([one, two])
      const before = registry.byId('1')
      const seen: AppChange[] = []
      registry.onChange((change) => {
        // Who is told can already ask.
        expect(registry.byId('3')).toBeDefined()
        seen.push(change)
      })
      await replace([appSettings({ id: '1', keys: [key('k1-new')] }), appSettings({ id: '3', keys: [key('k3')] })])
      const updated = seen.flatMap((change) => change.updated)
      expect(updated.map(({ id }) => id).sort()).toEqual(['1', '3'])
      expect(updated).toContain(registry.byId('1'))
      expect(seen.flatMap((change) => change.removed)).toEqual(['2'])
      expect(registry.byId('1')).not.toBe(before)
      expect(registry.byKey('k1')).toBeUndefined()
      expect(registry.byKey('k2')).toBeUndefined()
      expect(registry.byKey('k1-new')).toBe(registry.byId('1'))
    })

    test('an app that stays as it is stays the same object and is not told', async () => {
      const { registry, replace } = make([one, two])
      const before = registry.byId('2')
      const listener = vi.fn<(change: AppChange) => void>()
      registry.onChange(listener)
      await replace([appSettings({ id: '1', keys: [key('k1')], enabled: false }), two])
      expect(listener.mock.calls.flatMap(([{ updated }]) => updated.map(({ id }) => id))).toEqual(['1'])
      expect(registry.byId('2')).toBe(before)
    })

    test('a watch that was ended is not told, the others are', async () => {
      const { registry, replace } = make([one])
      const ended = vi.fn()
      const other = vi.fn()
      const end = registry.onChange(ended)
      registry.onChange(other)
      end()
      end()
      await replace([])
      expect(ended).not.toHaveBeenCalled()
      expect(other).toHaveBeenCalledTimes(1)
      expect([...registry.all()]).toEqual([])
    })
  })
}

function key(name: string): { key: string; secret: string } {
  return { key: name, secret: `secret-of-${name}` }
}
