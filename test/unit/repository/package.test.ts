import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const manifest = json('package.json')
const lock = json('package-lock.json')

describe('package', () => {
  test('the lock was written for this manifest', () => {
    const { dependencies, devDependencies, version } = lock.packages['']
    expect({ dependencies, devDependencies, version }).toEqual({
      dependencies: manifest.dependencies,
      devDependencies: manifest.devDependencies,
      version: manifest.version,
    })
  })

  test('the lock pins contents, not the place they come from', () => {
    const entries = Object.entries<Record<string, unknown>>(lock.packages).filter(([path]) => path !== '')
    expect(entries.length).toBeGreaterThan(100)
    expect(entries.filter(([, { resolved }]) => resolved !== undefined).map(([path]) => path)).toEqual([])
    expect(entries.filter(([, { integrity }]) => typeof integrity !== 'string').map(([path]) => path)).toEqual([])
  })

  test('the example names the versions that its tests ran with', () => {
    const { dependencies } = json('examples/chat/package.json')
    const installed = Object.keys(dependencies).map((name) => [name, lock.packages[`node_modules/${name}`].version])
    expect(dependencies).toEqual(Object.fromEntries(installed))
  })

  test('Node 20 to 22, as the WebSocket library has binaries for', () => {
    expect(manifest.engines).toEqual({ node: '>=20.12 <23' })
  })

  test('nothing runs where the published package is installed', () => {
    expect(Object.keys(manifest.scripts).filter((name) => /^(?:pre|post)?install$/.test(name))).toEqual([])
  })

  test('npm start becomes the server, so that a signal to npm reaches it', () => {
    expect(manifest.scripts.start).toBe('exec node dist/main.js start --dev')
  })

  test('the licence of the WebSocket library is told, and the notice is packed', () => {
    expect(readFileSync(join(root, 'NOTICE'), 'utf8')).toMatch(
      /uWebSockets[^]*Apache License, Version 2\.0[^]*uws-pack/,
    )
    expect(manifest.files).toContain('NOTICE')
  })
})

function json(file: string) {
  return JSON.parse(readFileSync(join(root, file), 'utf8'))
}
