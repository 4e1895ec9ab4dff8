import { describe, expect, it } from 'vitest'
import { readOptions, usage } from '../../../bench/options.js'
import { serverByName } from '../../../bench/servers/known.js'

const url = 'ws://127.0.0.1:6001'

describe('the options of the benchmark', () => {
  it('leaves servers to the suites unless told', () => {
    expect(readOptions([])).toMatchObject({
      words: [],
      server: undefined,
      references: undefined,
      byUrl: undefined,
      runs: 5,
    })
  })

  it('takes names of servers to compare', () => {
    expect(readOptions(['fanout', '--vs', 'soketi,bare'])).toMatchObject({
      words: ['fanout'],
      server: undefined,
      references: ['soketi', 'bare'],
    })
    expect(readOptions(['--vs', 'none']).references).toEqual([])
  })

  it('puts a server given by URL under test alone, with the app that all servers here have', () => {
    const { server, references, byUrl } = readOptions(['--url', url])
    expect({ server, references }).toEqual({ server: 'url', references: [] })
    expect(byUrl).toMatchObject({ host: '127.0.0.1', port: 6001, app: { id: '1', key: 'bench-key' }, pid: undefined })
  })

  it('takes its app, its process, and whom to compare it with', () => {
    const app = ['--id', '7', '--key', 'k', '--secret', 's']
    expect(readOptions(['--url', 'http://[::1]', ...app, '--pid', '42', '--vs', 'bare'])).toMatchObject({
      server: 'url',
      references: ['bare'],
      byUrl: { host: '::1', port: 80, app: { id: '7', key: 'k', secret: 's' }, pid: 42 },
    })
  })

  it('compares another with it, where that is asked for', () => {
    expect(readOptions(['--url', url, '--vs', 'url'])).toMatchObject({ server: undefined, references: ['url'] })
    expect(readOptions(['--url', url, '--server', 'bare', '--vs', 'url'])).toMatchObject({ server: 'bare' })
  })

  it('checks the quick subset in five pairs, against nobody but the bare server', () => {
    expect(readOptions(['--check'])).toMatchObject({ check: true, quick: true, runs: 5, references: undefined })
    expect(readOptions(['--quick', '--check'])).toMatchObject({ check: true, quick: true, runs: 5 })
    expect(readOptions(['--quick'])).toMatchObject({ check: false, runs: 3 })
    for (const more of [['--vs', 'soketi'], ['--server', 'bare'], ['--url', url], ['--write-readme']]) {
      expect(() => readOptions(['--check', ...more])).toThrow(/^--check/)
    }
  })

  it('leaves out what is only shown, where only gates are asked for', () => {
    expect(readOptions(['node', '--gates'])).toMatchObject({ words: ['node'], gates: true, quick: false })
    expect(readOptions(['node']).gates).toBe(false)
  })

  it('draws files instead of measuring, where the first word is "plot"', () => {
    expect(readOptions(['plot'])).toMatchObject({ plot: [], words: [], writeReadme: false })
    expect(readOptions(['plot', 'a.json', 'b.json', '--write-readme'])).toMatchObject({
      plot: ['a.json', 'b.json'],
      words: [],
      writeReadme: true,
    })
    expect(readOptions(['fanout', 'plot'])).toMatchObject({ plot: undefined, words: ['fanout', 'plot'] })
  })

  it.each([
    ['another protocol', ['--url', 'wss://127.0.0.1:6001']],
    ['a path', ['--url', `${url}/app/x`]],
    ['no URL at all', ['--url', 'here']],
    ['a process that is none', ['--url', url, '--pid', 'self']],
    ['a process without a URL', ['--pid', '42']],
    ['a key without a URL', ['--key', 'k']],
    ['no runs', ['--runs', '0']],
  ])('refuses %s', (_, args) => {
    expect(() => readOptions(args)).toThrow(/^--/)
  })

  it('says in its help what can be compared', () => {
    for (const word of ['soketi', 'soketi-cluster', '--url', '--id', '--key', '--secret', '--pid']) {
      expect(usage).toContain(word)
    }
  })
})

describe('servers by name', () => {
  it.each(['belfry', 'belfry-cluster', 'belfry-workers', 'bare', 'soketi', 'soketi-cluster'])('knows %s', (name) => {
    expect(serverByName(name).name).toBe(name)
  })

  it('knows "url" only with a URL', () => {
    expect(serverByName('url', readOptions(['--url', url]).byUrl).name).toBe('url')
    expect(() => serverByName('url')).toThrow(/--url/)
  })

  it('names the known ones where another is asked for', () => {
    expect(() => serverByName('sockety')).toThrow(/soketi.*url/)
  })
})
