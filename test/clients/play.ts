/** One program against one server. */
import { spawn } from 'node:child_process'
import { endTogether } from '../harness/end-together.js'
import { WebhookReceiver } from '../harness/webhook-receiver.js'
import { createInterface } from 'node:readline'
import { checksOf, type CheckResult } from './checks.js'
import type { FaultName } from './fault-proxy.js'
import type { Ready } from './prepared.js'
import type { ClientProgram } from './programs.js'
import { app, Site, type Setting } from './site.js'
import { encryptionMasterKeyBase64, Stage } from './stage.js'

/** Programs are written for 60 s; the rest is for a machine that does other things too. */
const playMs = 120_000
const errorLinesMax = 40
const complaintsMax = 10

export interface Played {
  readonly program: ClientProgram
  readonly setting: Setting
  readonly version: string
  /** What it reported, and what it should have. */
  readonly checks: readonly CheckResult[]
  /** Set when it did not come to its end. */
  readonly problem: string | undefined
  /** What helps to understand a failure: the last lines of its errors, warnings of the server. */
  readonly notes: readonly string[]
  readonly tookMs: number
}

/** Starts a server of its own for it, and ends it. */
export async function play(
  program: ClientProgram,
  ready: Ready,
  setting: Setting,
  fault: FaultName | undefined,
): Promise<Played> {
  const startedAtMs = performance.now()
  const receiver = await WebhookReceiver.start([{ id: app.id, keys: [app] }])
  const site = await Site.start({ setting, webhookUrl: receiver.url('/hook'), fault })
  const stage = await Stage.start(site, receiver)
  try {
    const output = await run(ready, environmentOf(site, stage))
    const notes = [...output.errors, ...site.complaints().slice(0, complaintsMax)]
    const missing = checksOf(program.kind)
      .filter((name) => !(name in program.lacks) && output.checks.every((check) => check.name !== name))
      .map((name) => ({ name, ok: false, detail: 'not reported, and not among what the library lacks' }))
    return {
      program,
      setting,
      version: output.version,
      checks: [...output.checks, ...missing],
      problem: output.problem,
      notes,
      tookMs: performance.now() - startedAtMs,
    }
  } finally {
    await stage.close()
    await site.close()
    await receiver.close()
  }
}

/** Whether everything that it reported, and all that it should have, is well. */
export function holds({ checks, problem }: Played): boolean {
  return problem === undefined && checks.every(({ ok }) => ok)
}

function environmentOf(site: Site, stage: Stage): Record<string, string> {
  return {
    BELFRY_HOST: '127.0.0.1',
    BELFRY_PORT: String(site.port),
    BELFRY_APP_ID: app.id,
    BELFRY_APP_KEY: app.key,
    BELFRY_APP_SECRET: app.secret,
    BELFRY_ENCRYPTION_KEY: encryptionMasterKeyBase64,
    STAGE_URL: stage.url,
    AUTH_URL: `${stage.url}/auth`,
    USER_AUTH_URL: `${stage.url}/user-auth`,
  }
}

interface Output {
  version: string
  readonly checks: CheckResult[]
  readonly errors: string[]
  problem: string | undefined
}

async function run({ folder, command, environment }: Ready, more: Record<string, string>): Promise<Output> {
  const output: Output = { version: '?', checks: [], errors: [], problem: undefined }
  const [name = '', ...words] = command
  // A group of its own, so that a browser that it started ends with it.
  const child = spawn(name, words, {
    cwd: folder,
    env: { ...process.env, ...environment, ...more },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  endTogether(child)
  createInterface({ input: child.stdout }).on('line', (line) => read(line, output))
  createInterface({ input: child.stderr }).on('line', (line) => {
    output.errors.push(line)
    if (output.errors.length > errorLinesMax) output.errors.shift()
  })
  const timer = setTimeout(() => {
    output.problem = `it did not end within ${playMs / 1000} s`
    killGroup(child.pid)
  }, playMs)
  const ended = await new Promise<number | string>((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('close', (code, signal) => resolve(code ?? signal ?? 'unknown'))
  })
  clearTimeout(timer)
  killGroup(child.pid)
  if (ended !== 0) output.problem ??= `it ended with ${ended}`
  return output
}

/** A line of the contract; what is none of it is kept as a note. */
function read(line: string, output: Output): void {
  let fields: Readonly<Record<string, unknown>>
  try {
    fields = JSON.parse(line) as Readonly<Record<string, unknown>>
  } catch (_notJson) {
    output.errors.push(`on standard output: ${line}`)
    return
  }
  const { check, ok, detail, version } = fields
  if (typeof version === 'string') output.version = version
  if (typeof check === 'string') {
    output.checks.push({ name: check, ok: ok === true, detail: typeof detail === 'string' ? detail : '' })
  }
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (_allGone) {
    return
  }
}
