import { parseArgs } from 'node:util'
import { checkPairs } from './check.js'
import { byUrlName, readByUrl } from './servers/by-url.js'
import type { ByUrl } from './servers/by-url.js'

export const usage = `npm run bench -- [SCENARIO …] [options]
npm run bench -- plot [FILE …] [--write-readme]

  SCENARIO            all scenarios and rows whose name contains one of these words; without: all.
                      "node" means all of one node, "cluster" two nodes and a Redis, "workers" two workers and
                      a Redis; these need redis-server
  plot                measures nothing: draws results files (the newest in bench/results), SVG and PNG beside them
  --server NAME       the server under test (belfry; of the suites cluster and workers: belfry-cluster, belfry-workers)
  --vs NAME[,NAME]    what it is compared with, or "none" (bare; of the suites cluster and workers: belfry)
                      NAME is belfry, belfry-cluster, belfry-workers, bare, soketi (fetched from the package registry
                      when it is first used), soketi-cluster, or url
  --url ws://HOST:PORT  a server that runs already, called "url", under test unless --server or --vs says
                      otherwise. Its limits have to be off
  --id, --key, --secret  the app to use there (those of every server here)
  --pid N             its process on this machine; without, only messages and latencies are looked at
  --runs N            repetitions of each, alternating (5; quick: 3)
  --gates             only scenarios of which a gate asks something: with --runs 3 about ten minutes for one node
  --quick             a subset with shorter runs, below 90 seconds
  --check             the quick subset against the bare server, 5 pairs: fails when a row is over its gate by more
                      than 10 % in two attempts, one after the other
  --profile           CPU profile of the server under test: its functions by self time
  --write-readme      put the tables and the plots into bench/README.md and README.md
  --list              name the scenarios
  --help`

export interface Options {
  readonly words: readonly string[]
  /** Results files to draw instead of measuring; none of them: the newest. Undefined: measure. */
  readonly plot: readonly string[] | undefined
  /** Undefined: those of the suite. */
  readonly server: string | undefined
  readonly references: readonly string[] | undefined
  /** The server called "url". */
  readonly byUrl: ByUrl | undefined
  readonly runs: number
  /** Leaves out what is only shown. */
  readonly gates: boolean
  readonly quick: boolean
  /** Decides instead of only showing; quick as well. */
  readonly check: boolean
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
      gates: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      check: { type: 'boolean', default: false },
      profile: { type: 'boolean', default: false },
      'write-readme': { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  const quick = values.quick || values.check
  const runs = Number(values.runs ?? (quick && !values.check ? 3 : checkPairs))
  if (!Number.isInteger(runs) || runs < 1) throw new Error('--runs needs a whole number above 0')
  const isFixed =
    [values.server, values.vs, values.url].every((value) => value === undefined) && !values['write-readme']
  if (values.check && !isFixed) {
    throw new Error('--check compares with the gates against the bare server: no --server, --vs, --url, --write-readme')
  }
  const isPlot = positionals[0] === 'plot'
  const byUrl = readByUrl(values)
  const references = values.vs === 'none' ? [] : values.vs?.split(',')
  // Whoever gives a URL means it; under test, unless it is what somebody else is compared with.
  const isMeant = byUrl !== undefined && values.server === undefined && references?.includes(byUrlName) !== true
  return {
    words: isPlot ? [] : positionals,
    plot: isPlot ? positionals.slice(1) : undefined,
    server: isMeant ? byUrlName : values.server,
    references: references ?? (isMeant ? [] : undefined),
    byUrl,
    runs,
    gates: values.gates,
    quick,
    check: values.check,
    profile: values.profile,
    writeReadme: values['write-readme'],
    list: values.list,
    help: values.help,
  }
}
