import { parseArgs } from 'node:util'
import { byUrlName, readByUrl } from './servers/by-url.js'
import type { ByUrl } from './servers/by-url.js'

export const usage = `npm run bench -- [SCENARIO …] [options]

  SCENARIO            all scenarios and rows whose name contains one of these words; without: all.
                      "cluster" means two nodes and a Redis, which needs redis-server
  --server NAME       the server under test (belfry; of the cluster scenarios: belfry-cluster)
  --vs NAME[,NAME]    what it is compared with, or "none" (bare; of the cluster scenarios: belfry)
                      NAME is belfry, belfry-cluster, bare, soketi (fetched from the package registry
                      when it is first used), soketi-cluster, or url
  --url ws://HOST:PORT  a server that runs already, called "url", under test unless --server or --vs says
                      otherwise. Its limits have to be off
  --id, --key, --secret  the app to use there (those of every server here)
  --pid N             its process on this machine; without, only messages and latencies are looked at
  --runs N            repetitions of each, alternating (5; quick: 3)
  --quick             a subset with shorter runs, below 90 seconds
  --profile           CPU profile of the server under test: its functions by self time
  --write-readme      put the table into bench/README.md
  --list              name the scenarios
  --help`

export interface Options {
  readonly words: readonly string[]
  /** Undefined: those of the suite. */
  readonly server: string | undefined
  readonly references: readonly string[] | undefined
  /** The server called "url". */
  readonly byUrl: ByUrl | undefined
  readonly runs: number
  readonly quick: boolean
  readonly profile: boolean
  readonly writeReadme: boolean
  readonly list: boolean
  readonly help: boolean
}

/** @throws Error in one sentence */
export function readOptions(args: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      server: { type: 'string' },
      vs: { type: 'string' },
      url: { type: 'string' },
      id: { type: 'string' },
      key: { type: 'string' },
      secret: { type: 'string' },
      pid: { type: 'string' },
      runs: { type: 'string' },
      quick: { type: 'boolean', default: false },
      profile: { type: 'boolean', default: false },
      'write-readme': { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  const runs = Number(values.runs ?? (values.quick ? 3 : 5))
  if (!Number.isInteger(runs) || runs < 1) throw new Error('--runs needs a whole number above 0')
  const byUrl = readByUrl(values)
  const references = values.vs === 'none' ? [] : values.vs?.split(',')
  // Whoever gives a URL means it; under test, unless it is what somebody else is compared with.
  const isMeant = byUrl !== undefined && values.server === undefined && references?.includes(byUrlName) !== true
  return {
    words: positionals,
    server: isMeant ? byUrlName : values.server,
    references: references ?? (isMeant ? [] : undefined),
    byUrl,
    runs,
    quick: values.quick,
    profile: values.profile,
    writeReadme: values['write-readme'],
    list: values.list,
    help: values.help,
  }
}
