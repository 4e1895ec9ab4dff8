import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const script = join(import.meta.dirname, '../../../.ci/prune-image.js')
const own = `node_modules/uWebSockets.js/dist/bin/uws_${process.platform}_${process.arch}_${process.versions.modules}.node`
let folder = ''

beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'belfry-prune-'))))
afterEach(() => rmSync(folder, { recursive: true }))

describe('.ci/prune-image.js', () => {
  it('leaves one binary, all programs and all licences', () => {
    const stays = [
      own,
      'node_modules/uWebSockets.js/dist/uws.mjs',
      'node_modules/a/index.js',
      'node_modules/a/package.json',
      'node_modules/a/LICENSE',
      'node_modules/a/LICENSE.md',
      'node_modules/a/Notice.md',
      // Deeper than the package itself it may be part of the program.
      'node_modules/a/lib/test/index.js',
      'node_modules/test/index.js',
    ]
    const goes = [
      'node_modules/uWebSockets.js/dist/bin/uws_plan9_x64_127.node',
      `node_modules/uWebSockets.js/dist/bin/uws_${process.platform}_${process.arch}_1.node`,
      'node_modules/uWebSockets.js/dist/index.d.mts',
      'node_modules/a/index.d.ts',
      'node_modules/a/src/index.ts',
      'node_modules/a/index.js.map',
      'node_modules/a/README.md',
      'node_modules/a/test/index.js',
      'node_modules/@scope/b/benchmarks/data',
      'node_modules/a/node_modules/c/examples/x.js',
    ]
    plant([...stays, ...goes])
    const { status, stdout, stderr } = prune('node_modules')
    expect(stderr).toBe('')
    expect(status).toBe(0)
    expect(stays.filter((file) => !existsSync(join(folder, file)))).toEqual([])
    expect(goes.filter((file) => existsSync(join(folder, file)))).toEqual([])
    expect(stdout).toMatch(/^node_modules: .* → .* \(binaries .*\)$/m)
  })

  it('takes the maps out of dist', () => {
    plant(['dist/main.js', 'dist/main.js.map', 'dist/script.lua'])
    expect(prune('dist').status).toBe(0)
    expect(
      ['dist/main.js', 'dist/main.js.map', 'dist/script.lua'].map((file) => existsSync(join(folder, file))),
    ).toEqual([true, false, true])
  })

  it.each([
    ['a platform without a binary', ['node_modules'], 'cannot run on this platform'],
    ['a folder that is not there', ['none'], 'none is not there'],
    ['no folder', [], 'usage'],
  ])('fails for %s, and removes nothing', (_, folders, reason) => {
    const other = 'node_modules/uWebSockets.js/dist/bin/uws_plan9_x64_127.node'
    plant([other])
    const { status, stderr } = prune(...folders)
    expect(status).toBe(1)
    expect(stderr).toContain(reason)
    expect(existsSync(join(folder, other))).toBe(true)
  })
})

function plant(files: readonly string[]): void {
  for (const file of files) {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    writeFileSync(join(folder, file), 'x')
  }
}

function prune(...folders: string[]) {
  return spawnSync(process.execPath, [script, ...folders], { cwd: folder, encoding: 'utf8' })
}
