import { parseArgs } from 'node:util'

export const usage = `npm run bench -- [SCENARIO …] [options]

  SCENARIO            all scenarios and rows whose name contains one of these words; without: all.
                      "cluster" means two nodes and a Redis, which needs redis-server
  --server NAME       the server under test (belfry; of the cluster scenarios: belfry-cluster)
  --vs NAME[,NAME]    what it is compared with, or "none" (bare; of the cluster scenarios: belfry)
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
  return {
    words: positionals,
    server: values.server,
    references: values.vs === 'none' ? [] : values.vs?.split(','),
    runs,
    quick: values.quick,
    profile: values.profile,
    writeReadme: values['write-readme'],
    list: values.list,
    help: values.help,
  }
}
