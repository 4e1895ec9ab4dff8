import { runCommandLine } from '../../../src/cli/run.js'
import type { Finding } from '../../../src/cli/doctor/finding.js'
import { sentenceOf } from '../../../src/cli/doctor/finding.js'
import { FakeConsole } from '../../unit/cli/fake-console.js'

export const app = {
  BELFRY_APP_ID: '3',
  BELFRY_APP_KEY: '278d425bdf160c739803',
  BELFRY_APP_SECRET: '7ad3773142a6692b25b8',
}

/** What one run of `belfry doctor --json` found. */
export class Examined {
  readonly exitCode: number
  readonly findings: readonly Finding[]
  readonly output: string

  constructor(exitCode: number, findings: readonly Finding[], output: string) {
    this.exitCode = exitCode
    this.findings = findings
    this.output = output
  }

  /** The sentence of a check with its verdict in front: `failed …`. */
  of(check: string): string | undefined {
    const found = this.findings.find((finding) => finding.check === check)
    return found === undefined ? undefined : `${found.verdict} ${sentenceOf(found)}`
  }

  /** Of everything that failed. */
  get failed(): string[] {
    return this.findings.filter(({ verdict }) => verdict === 'failed').map(sentenceOf)
  }
}

/** Without ports of its own, unless the flags or variables name some. */
export async function examined(
  flags: readonly string[],
  environment: Record<string, string> = {},
  directory = '/nowhere',
): Promise<Examined> {
  const console = new FakeConsole(directory, {
    BELFRY_PORT: '0',
    BELFRY_METRICS_PORT: '0',
    BELFRY_HOST: '127.0.0.1',
    ...app,
    ...environment,
  })
  const exitCode = await runCommandLine(['doctor', '--json', ...flags], console)
  const output = console.printed.join('\n')
  const { ok, findings } = JSON.parse(output) as { ok: boolean; findings: Finding[] }
  if (ok !== (exitCode === 0)) throw new Error(`exit code ${exitCode} does not fit ok: ${String(ok)}`)
  // A failure without advice is what this command must never print.
  for (const { verdict, remedy, check } of findings)
    if (verdict === 'failed' && remedy === undefined) throw new Error(`${check} failed without a remedy`)
  return new Examined(exitCode, findings, output + console.complained.join('\n'))
}
