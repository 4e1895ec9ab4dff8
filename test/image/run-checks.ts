/** What must hold of the image while it runs: on a read-only root, as its own user, without a shell. */
import { strict as assert } from 'node:assert'
import { eventually } from '../harness/eventually.js'
import { freePort } from '../harness/free-port.js'
import { RawClient } from '../harness/raw-client.js'
import { rest } from '../harness/rest.js'
import { Container } from './container.js'
import type { Check } from './proof.js'
import type { BuiltStage } from './stages.js'

const app = { appId: 'image', key: 'image-key', secret: 'secret-of-the-image-test' }
const startMs = 20_000
const stopMs = 20_000

/** Signals that an engine may send by STOPSIGNAL. */
const stopSignals: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT', 'SIGQUIT']

export interface Running {
  readonly container: Container
  readonly port: number
  readonly metricsPort: number
}

/** Starts it as `docker run --read-only -e …` does; the environment is all the configuration it gets. */
export async function startImage({ root, config }: BuiltStage): Promise<Running> {
  const [port, metricsPort] = [await freePort(), await freePort()]
  const given = {
    BELFRY_HOST: '127.0.0.1',
    BELFRY_PORT: String(port),
    BELFRY_METRICS_PORT: String(metricsPort),
    BELFRY_APP_ID: app.appId,
    BELFRY_APP_KEY: app.key,
    BELFRY_APP_SECRET: app.secret,
    BELFRY_DRAIN_PRE_STOP_DELAY_MS: '500',
    BELFRY_DRAIN_PERIOD_MS: '500',
  }
  const env = { HOME: '/', HOSTNAME: 'image', ...config.env, ...given }
  const { workdir, uid, gid, entrypoint, cmd } = config
  const container = new Container({ root, workdir, uid, gid, env, command: [...entrypoint, ...cmd] })
  return { container, port, metricsPort }
}

/** In this order: the last one stops it. */
export function runChecks({ container, port, metricsPort }: Running, { config }: BuiltStage): Check[] {
  const url = `http://127.0.0.1:${port}`
  return [
    { name: 'it answers /ready', run: () => becomesReady(container, `${url}/ready`) },
    { name: 'a signed trigger reaches a WebSocket client', run: () => deliversOneEvent(url, port) },
    { name: 'metrics answer on their own port', run: () => statusOf(`http://127.0.0.1:${metricsPort}/metrics`) },
    { name: 'the health check passes', run: () => healthcheckPasses(container, config.healthcheck) },
    { name: 'belfry is a command in it', run: () => runsCommand(container) },
    { name: 'its user is not root, and has no privilege', run: () => isUnprivileged(container) },
    { name: 'nothing runs in it but node', run: () => onlyNode(container) },
    { name: 'nobody can write to the root, not even root', run: () => writesNowhere(container) },
    { name: 'every module of it loads, also after pruning', run: () => everyModuleLoads(container) },
    {
      name: `${config.stopSignal} ends it with exit code 0`,
      run: () => stopsPolitely(container, config.stopSignal, port),
    },
  ]
}

async function becomesReady(container: Container, url: string): Promise<string> {
  const startedAtMs = performance.now()
  await eventually(
    url,
    async () => {
      if (container.ended !== undefined) throw new Error(`it ended with ${container.ended.code}: ${container.output}`)
      return (await fetch(url).catch(() => undefined))?.status === 200
    },
    startMs,
  )
  return `after ${(performance.now() - startedAtMs).toFixed(0)} ms`
}

async function deliversOneEvent(url: string, port: number): Promise<string> {
  const client = await RawClient.connect(`ws://127.0.0.1:${port}/app/${app.key}?protocol=7`)
  try {
    await client.subscribePrivate('private-image', app)
    const body = { name: 'built', channels: ['private-image'], data: '{"from":"scratch"}' }
    const answer = await rest({ url, ...app }, 'POST', 'events', { body })
    assert.equal(answer.status, 200, answer.text)
    const frame = await client.next('built')
    assert.equal(frame.data, '{"from":"scratch"}')
    return 'on a private channel'
  } finally {
    client.close()
  }
}

async function statusOf(url: string): Promise<string> {
  const answer = await fetch(url)
  const text = await answer.text()
  assert.equal(answer.status, 200)
  assert.match(text, /^belfry_build_info\{/m)
  return `${text.split('\n').length} lines`
}

async function healthcheckPasses(container: Container, command: readonly string[]): Promise<string> {
  assert.ok(command.length > 0, 'the Dockerfile has none')
  const startedAtMs = performance.now()
  const { code, output } = await container.exec(command)
  assert.equal(code, 0, output)
  const tookMs = performance.now() - startedAtMs
  // A check that cannot fail would pass too.
  const wrong = await container.exec([...command, '--url', 'http://127.0.0.1:1/ready'])
  assert.equal(wrong.code, 1, 'it also passes when nothing answers')
  return `exit code 0 in ${tookMs.toFixed(0)} ms; 1 where nothing answers`
}

async function runsCommand(container: Container): Promise<string> {
  const { code, output } = await container.exec(['/usr/local/bin/belfry', '--version'])
  assert.equal(code, 0, output)
  return output.trim()
}

function isUnprivileged(container: Container): string {
  const [uids, gids] = [container.status('Uid'), container.status('Gid')]
  for (const id of [...uids.split(/\s+/), ...gids.split(/\s+/)]) assert.ok(Number(id) > 0, `Uid ${uids}, Gid ${gids}`)
  assert.equal(container.status('Groups'), '')
  assert.match(container.status('CapEff'), /^0+$/)
  return `Uid ${uids.split(/\s+/)[0]}, Gid ${gids.split(/\s+/)[0]}, no further group, no capability`
}

function onlyNode(container: Container): string {
  const processes = container.processes()
  assert.deepEqual(
    processes.filter(({ program }) => !program.endsWith('/usr/local/bin/node')),
    [],
  )
  assert.equal(container.status('NSpid').split(/\s+/).at(-1), '1', 'it is not process 1')
  return `${processes.length} process, which is number 1`
}

const writing = `
const fs = require('node:fs')
const refused = {}
for (const folder of ['/', '/app', '/app/dist', '/etc/belfry', '/etc', '/tmp', '/var/tmp', '/run', '/usr/local/bin', '/home', '/dev']) {
  try { fs.writeFileSync(folder + '/belfry-was-here', ''); refused[folder] = 'written' } catch (error) { refused[folder] = error.code }
}
console.log(JSON.stringify(refused))`

async function writesNowhere(container: Container): Promise<string> {
  const answers: string[] = []
  for (const user of [undefined, { uid: 0, gid: 0 }]) {
    const { code, output } = await container.exec(['/usr/local/bin/node', '-e', writing], user)
    assert.equal(code, 0, output)
    const refused = JSON.parse(output) as Record<string, string>
    const wrong = Object.entries(refused).filter(
      ([, how]) => how !== 'EROFS' && (user !== undefined || how !== 'EACCES'),
    )
    assert.deepEqual(wrong, [])
    answers.push([...new Set(Object.values(refused))].join(' or '))
  }
  return `${answers[0]}; as root ${answers[1]}`
}

const loading = `
import { readdirSync } from 'node:fs'
const started = ['main.js']
const files = readdirSync('/app/dist', { recursive: true }).filter((file) => file.endsWith('.js') && !started.includes(file))
for (const file of files) await import('/app/dist/' + file)
console.log(files.length)
process.exit(0)`

async function everyModuleLoads(container: Container): Promise<string> {
  const { code, output } = await container.exec(['/usr/local/bin/node', '--input-type=module', '-e', loading])
  assert.equal(code, 0, output)
  assert.ok(Number(output) > 100, output)
  return `${output.trim()} of dist, with what they import`
}

async function stopsPolitely(container: Container, wanted: string, port: number): Promise<string> {
  const signal = stopSignals.find((name) => name === wanted)
  if (signal === undefined) throw new Error(`${wanted} is not understood`)
  const client = await RawClient.connect(`ws://127.0.0.1:${port}/app/${app.key}?protocol=7`)
  const startedAtMs = performance.now()
  container.signal(signal)
  const ended = await eventually('the end', () => container.ended, stopMs)
  assert.equal(ended.code, 0, container.output)
  assert.equal((await client.waitForClose()).code, 4200)
  return `as process 1, in ${(performance.now() - startedAtMs).toFixed(0)} ms; its client was closed with 4200`
}
