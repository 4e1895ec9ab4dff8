import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { runCommandLine } from '../../../src/cli/run.js'
import { FakeConsole } from './fake-console.js'

const fixtures = join(import.meta.dirname, '../config/soketi-files')
const files = readdirSync(fixtures)

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'belfry-init-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

async function run(...argv: string[]) {
  const console = new FakeConsole(directory)
  const exitCode = await runCommandLine(argv, console)
  return { exitCode, out: console.printed.join('\n'), err: console.complained.join('\n') }
}

describe('init --from a soketi file', () => {
  it('has three realistic files to try', () => {
    expect(files).toHaveLength(3)
  })

  it.each(files)('%s: writes a configuration that check accepts, readable only by its owner', async (file) => {
    copyFileSync(join(fixtures, file), join(directory, 'soketi.json'))
    const { exitCode, out, err } = await run('init', '--from', 'soketi.json')
    expect([exitCode, err]).toEqual([0, ''])
    expect(out.split('\n').length).toBeGreaterThan(5)
    expect(out.split('\n').at(-1)).toBe('Wrote belfry.yaml, readable only by you. Next: belfry start')
    expect(statSync(join(directory, 'belfry.yaml')).mode & 0o777).toBe(0o600)
    expect(await run('check')).toMatchObject({ exitCode: 0, err: '' })
  })

  it('makes other credentials each time where the file has none', async () => {
    writeFileSync(join(directory, 'soketi.json'), '{}')
    const secrets = new Set<unknown>()
    for (const name of ['a.yaml', 'b.yaml']) {
      await run('init', '--from', 'soketi.json', name)
      const { apps } = parse(readFileSync(join(directory, name), 'utf8')) as { apps: { secret: string }[] }
      secrets.add(apps[0]?.secret)
    }
    expect(secrets.size).toBe(2)
  })

  it('tells what is left to correct by hand', async () => {
    const app = { id: 'a', key: 'k', secret: 'short', enableClientMessages: true }
    writeFileSync(join(directory, 'soketi.json'), JSON.stringify({ 'appManager.array.apps': [app] }))
    expect((await run('init', '--from', 'soketi.json')).err).toContain('has a secret of fewer than 16 characters')
  })

  it('overwrites nothing without --force', async () => {
    writeFileSync(join(directory, 'soketi.json'), '{}')
    writeFileSync(join(directory, 'belfry.yaml'), 'mine')
    expect(await run('init', '--from', 'soketi.json')).toEqual({
      exitCode: 1,
      out: '',
      err: 'belfry.yaml is already there: use --force to overwrite it.',
    })
    expect((await run('init', '--from', 'soketi.json', '--force')).exitCode).toBe(0)
  })

  it.each([
    ['a file that is not there', undefined, 'soketi.json cannot be read (ENOENT): check the path and its permissions.'],
    ['no JSON', '{"secret":tell-nobody}', /^soketi\.json is not JSON.*: give the file that soketi is started with/],
    ['no object', '"tell-nobody"', /^soketi\.json holds no options of soketi/],
  ])('refuses %s', async (_what, text, message) => {
    if (text !== undefined) writeFileSync(join(directory, 'soketi.json'), text)
    const { exitCode, out, err } = await run('init', '--from', 'soketi.json')
    expect([exitCode, out]).toEqual([1, ''])
    expect(err).toMatch(message)
    expect(err).not.toContain('tell-nobody')
    expect(readdirSync(directory)).not.toContain('belfry.yaml')
  })
})
