import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { AppFiles, type Reloaded } from '../../../src/apps/file.js'
import { StaticAppRegistry } from '../../../src/apps/static.js'
import { systemClock, type Clock } from '../../../src/base/clock.js'
import { appSettings } from '../../fakes/app-settings.js'
import { ManualClock } from '../../fakes/manual-clock.js'
import { RecordingLogger } from '../../fakes/recording-logger.js'

/** R30: a change is in effect within this time. */
const effectiveMs = 5000

let folder: string
let started: AppFiles | undefined

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'belfry-apps-'))
})
afterEach(() => {
  started?.stop()
  started = undefined
  rmSync(folder, { recursive: true })
})

/** Watches a file that lists ids, one a line; `@x` reads more of them from the file x, and `broken…` is refused. */
function watching(file: string, clock: Clock = systemClock) {
  const reads: string[] = []
  const reload = (): Reloaded => {
    const files = [file]
    try {
      const lines = readFileSync(file, 'utf8').trim().split('\n')
      reads.push(lines.join())
      if (lines[0]?.startsWith('broken') === true) return { ok: false, errors: [`${lines[0]}.`], files }
      const ids = lines.flatMap((line) => {
        if (!line.startsWith('@')) return [line]
        files.push(line.slice(1))
        return readFileSync(line.slice(1), 'utf8').trim().split('\n')
      })
      return { ok: true, apps: ids.map((id) => appSettings({ id, keys: [{ key: id, secret: id }] })), files }
    } catch (error) {
      return { ok: false, errors: [String(error)], files }
    }
  }
  const first = reload()
  const registry = new StaticAppRegistry(first.ok ? first.apps : [])
  const logger = new RecordingLogger()
  started = new AppFiles({ files: first.files, reload, registry, clock, logger })
  const ids = () => [...registry.all()].map(({ id }) => id)
  return { appFiles: started, logger, ids, reads, registry }
}

function write(name: string, content: string): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

async function eventually(check: () => void): Promise<void> {
  await vi.waitFor(check, { timeout: effectiveMs, interval: 20 })
}

describe('the apps of a file', () => {
  it('follow its content', async () => {
    const { ids, logger } = watching(write('apps', 'a\nb'))
    write('apps', 'b\nc')
    await eventually(() => expect(ids()).toEqual(['b', 'c']))
    expect(logger.at('info')).toEqual([
      {
        level: 'info',
        fields: { cause: 'changed', updated: ['c'], removed: ['a'] },
        message: 'configuration read: apps added or changed: 1, removed: 1',
      },
    ])
  })

  it('follow a file that takes the place of the old one', async () => {
    const { ids } = watching(write('apps', 'a'))
    renameSync(write('fresh', 'b'), join(folder, 'apps'))
    await eventually(() => expect(ids()).toEqual(['b']))
  })

  it('follow the links that Kubernetes exchanges', async () => {
    const put = (version: string, content: string) => {
      mkdirSync(join(folder, version))
      write(join(version, 'apps'), content)
      symlinkSync(version, join(folder, '..data_tmp'))
      renameSync(join(folder, '..data_tmp'), join(folder, '..data'))
    }
    put('..1', 'a')
    symlinkSync('..data/apps', join(folder, 'apps'))
    const { ids } = watching(join(folder, 'apps'))
    put('..2', 'b')
    await eventually(() => expect(ids()).toEqual(['b']))
  })

  it('follow a change of the same length in a folder that is not notified', async () => {
    mkdirSync(join(folder, 'mount'))
    symlinkSync('mount/apps', join(folder, 'apps'))
    write('mount/apps', 'a')
    const { ids } = watching(join(folder, 'apps'))
    write('mount/apps', 'b')
    await eventually(() => expect(ids()).toEqual(['b']))
  })

  it('follow files that are named later', async () => {
    const { ids } = watching(write('apps', 'a'))
    const more = write('more', 'b')
    write('apps', `a\n@${more}`)
    await eventually(() => expect(ids()).toEqual(['a', 'b']))
    write('more', 'c')
    await eventually(() => expect(ids()).toEqual(['a', 'c']))
  })

  it('wait for a file that is still being written', async () => {
    const clock = new ManualClock()
    const { ids, registry } = watching(write('apps', 'a\nb\nc'), clock)
    const removed: string[] = []
    registry.onChange((change) => removed.push(...change.removed))
    const content = 'a\nb\nc\nd\ne\nf'
    for (let length = 1; length <= content.length; length++) {
      write('apps', content.slice(0, length))
      clock.advance(100)
      await new Promise((resolve) => setImmediate(resolve))
    }
    await eventually(() => {
      clock.advance(100)
      expect(ids()).toEqual(['a', 'b', 'c', 'd', 'e', 'f'])
    })
    expect(removed).toEqual([])
  })
})

describe('a broken file', () => {
  it('leaves the apps as they are, and is told once for each content', async () => {
    const { appFiles, ids, logger } = watching(write('apps', 'a'))
    write('apps', 'broken 1')
    await eventually(() => expect(logger.at('error')).toHaveLength(1))
    await appFiles.reload()
    await appFiles.reload()
    expect(logger.at('warn')).toHaveLength(2)
    write('apps', 'broken 2')
    await eventually(() => expect(logger.at('error')).toHaveLength(2))
    expect(logger.at('error').map(({ message }) => message)).toEqual([
      'configuration refused, the apps stay as they are: broken 1.',
      'configuration refused, the apps stay as they are: broken 2.',
    ])
    expect(ids()).toEqual(['a'])
    write('apps', 'b')
    await eventually(() => expect(ids()).toEqual(['b']))
  })

  it('may be missing for a while', async () => {
    const path = write('apps', 'a')
    const { ids, logger } = watching(path)
    rmSync(path)
    await eventually(() => expect(logger.at('error')).toHaveLength(1))
    write('apps', 'b')
    await eventually(() => expect(ids()).toEqual(['b']))
  })
})

describe('a request to read again', () => {
  it('is answered at once, also when nothing changed', async () => {
    const { appFiles, ids, logger } = watching(write('apps', 'a'))
    await appFiles.reload()
    write('apps', 'b')
    await appFiles.reload()
    expect(ids()).toEqual(['b'])
    expect(logger.at('info').map(({ fields }) => fields['cause'])).toEqual(['asked', 'asked'])
  })

  it('does nothing after the stop', async () => {
    const { appFiles, ids } = watching(write('apps', 'a'))
    appFiles.stop()
    write('apps', 'b')
    await appFiles.reload()
    expect(ids()).toEqual(['a'])
  })
})
