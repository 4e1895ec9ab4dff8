/**
 * `npm run test:fuzz -- [--seconds 20] [--seed N] [--connections 6]`: a real server process, hostile connections that speak the
 * protocol's grammar with every kind of mistake, and an innocent connection that must notice nothing. Prints the seed and the
 * figures; exits with 1, the seed and the last inputs when the process ends, an event is missed or an error is logged.
 */
import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { eventually } from '../../harness/eventually.js'
import type { ServerNode } from '../../black-box/server-node.js'
import { Attacker, upgradeRequest } from '../../protocol/hostile/attacker.js'
import { appId, credentials, startHostileServer, targetOf } from '../../protocol/hostile/hostile-server.js'
import { Innocent, type InnocentReport } from '../../protocol/hostile/innocent.js'
import { frameBytes, frameText, requestBytes } from './inputs.js'
import { Random } from '../../harness/random.js'
import { mutate } from './texts.js'

const lastInputsMax = 20
/** Frames of one connection before it goes on as another. */
const framesPerSessionMax = 200

interface Run {
  readonly server: ServerNode
  readonly endsAtMs: number
  readonly lastInputs: string[]
  readonly counts: { sessions: number; frames: number; requests: number; handshakes: number; ended: number }
}

await main()

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '20' },
      seed: { type: 'string', default: String(randomInt(2 ** 32)) },
      connections: { type: 'string', default: '6' },
    },
  })
  const [seconds, seed, connections] = [values.seconds, values.seed, values.connections].map(Number)
  if (![seconds, seed, connections].every((value) => Number.isInteger(value) && (value ?? -1) >= 0)) {
    console.error('--seconds, --seed and --connections are whole numbers')
    process.exit(2)
  }
  console.log(`seed ${seed}, ${seconds} s, ${connections} hostile connections`)
  process.exit((await fuzz(seconds ?? 0, seed ?? 0, connections ?? 0)) ? 0 : 1)
}

/** @returns whether nothing was wrong */
async function fuzz(seconds: number, seed: number, connections: number): Promise<boolean> {
  const server = await startHostileServer()
  const innocent = await Innocent.start(targetOf(server))
  const run: Run = {
    server,
    endsAtMs: performance.now() + seconds * 1000,
    lastInputs: [],
    counts: { sessions: 0, frames: 0, requests: 0, handshakes: 0, ended: 0 },
  }
  const rssStart = server.rssBytes()
  const random = new Random(seed)
  const problems: string[] = []
  const attacks = Array.from({ length: connections }, () => attack(run, random.fork(), innocent))
  for (const outcome of await Promise.allSettled(attacks)) {
    if (outcome.status === 'rejected') problems.push(`a hostile connection found: ${String(outcome.reason)}`)
  }
  if (server.exit === undefined) problems.push(...(await leftovers(server)))
  let report: InnocentReport | undefined
  try {
    report = await innocent.finish()
  } catch (error) {
    problems.push(String(error))
  }
  if (server.exit !== undefined) problems.push(`the server ended with ${server.exit.code}`)
  problems.push(
    ...server.at('error').map((line) => `logged: ${line}`),
    ...server.at('none').map((line) => `printed: ${line}`),
  )
  const rssEnd = server.exit === undefined ? server.rssBytes() : 0
  await server.close()
  print(run, report, rssStart, rssEnd)
  if (problems.length === 0) return true
  console.error(
    `FAILED with seed ${seed}:\n${problems.slice(0, 10).join('\n')}\nlast inputs, oldest first:\n${run.lastInputs.join('\n')}`,
  )
  return false
}

/** What hostile connections left behind, once they are gone: only the innocent connection and its three channels may be there. */
async function leftovers(server: ServerNode): Promise<string[]> {
  const expected = { connected: 1, channels: 3, subscriptions: 3, presence_members: 1 }
  let text = ''
  const wrong = () =>
    Object.entries(expected).filter(([name, value]) => !text.includes(`\nbelfry_${name}{app_id="${appId}"} ${value}\n`))
  try {
    await eventually('no leftovers', async () => {
      text = await (await fetch(`${server.metricsUrl}/metrics`)).text()
      return wrong().length === 0
    })
    return []
  } catch (error) {
    const lines = text.split('\n').filter((line) => wrong().some(([name]) => line.startsWith(`belfry_${name}{`)))
    return [`left behind (${String(error)}): ${lines.join('; ')}`]
  }
}

function print({ counts, server }: Run, report: InnocentReport | undefined, rssStart: number, rssEnd: number): void {
  console.log(
    `${counts.sessions} sessions, ${counts.frames} frames, ${counts.requests} requests, ${counts.handshakes} bent handshakes; ${counts.ended} connections ended by the server`,
  )
  if (report !== undefined) {
    console.log(
      `innocent: ${report.published} events on 3 channels, p99 ${report.p99Ms.toFixed(1)} ms, max ${report.maxMs.toFixed(1)} ms`,
    )
  }
  console.log(`RSS ${megabytes(rssStart)} → ${megabytes(rssEnd)} MB, log ${server.logBytes} bytes`)
}

function megabytes(bytes: number): string {
  return (bytes / 1_048_576).toFixed(0)
}

/** One hostile connection after the other until the time is over or something is wrong. */
async function attack(run: Run, random: Random, innocent: Innocent): Promise<void> {
  while (performance.now() < run.endsAtMs && run.server.exit === undefined && innocent.problems.length === 0) {
    const kind = random.below(10)
    if (kind < 6) await session(run, random)
    else if (kind < 9) await requests(run, random)
    else await handshake(run, random)
  }
}

async function session(run: Run, random: Random): Promise<void> {
  const attacker = await Attacker.session(run.server.port, credentials)
  run.counts.sessions += 1
  for (
    let left = random.below(framesPerSessionMax);
    left > 0 && !attacker.ended && attacker.closeCode === undefined;
    left -= 1
  ) {
    const bytes = frameBytes(random, frameText(random, attacker))
    send(run, attacker, 'frame', bytes)
    run.counts.frames += 1
    // Bursts of several frames in one packet, then a turn for everybody else.
    if (random.chance(8)) await attacker.settled(250).catch(() => undefined)
  }
  leave(run, attacker)
}

async function requests(run: Run, random: Random): Promise<void> {
  const attacker = await Attacker.connect(run.server.port, credentials)
  for (let left = 1 + random.below(20); left > 0 && !attacker.ended; left -= 1) {
    send(run, attacker, 'request', requestBytes(random))
    run.counts.requests += 1
    // A request that is bent may never be answered: the next one runs into it, which is one more kind of mistake.
    await attacker.answer(30).catch(() => undefined)
  }
  leave(run, attacker)
}

async function handshake(run: Run, random: Random): Promise<void> {
  const attacker = await Attacker.connect(run.server.port, credentials)
  const request = Buffer.from(upgradeRequest(`/app/${credentials.key}?protocol=${random.below(12)}`))
  const bytes = Buffer.concat([
    mutate(random, request),
    random.chance(2) ? random.bytes(random.below(200)) : Buffer.alloc(0),
  ])
  send(run, attacker, 'handshake', bytes)
  run.counts.handshakes += 1
  await attacker.answer(30).catch(() => undefined)
  leave(run, attacker)
}

function send(run: Run, attacker: Attacker, kind: string, bytes: Buffer): void {
  run.lastInputs.push(`${kind} ${bytes.length} bytes: ${bytes.subarray(0, 400).toString('base64')}`)
  if (run.lastInputs.length > lastInputsMax) run.lastInputs.shift()
  attacker.write(bytes)
}

function leave(run: Run, attacker: Attacker): void {
  if (attacker.ended || attacker.closeCode !== undefined) run.counts.ended += 1
  attacker.vanish()
}
