import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { readFileSync } from 'node:fs'
import { freePort } from '../../../bench/servers/child.js'
import type { Target } from '../../../bench/load/target.js'
import { EventStream } from '../../black-box/event-stream.js'
import { RestClient } from '../../black-box/rest-client.js'
import type { Scenario } from '../../black-box/scenario.js'
import { oneApp, replaceFile } from '../../black-box/server-node.js'
import { openTlsSocket } from '../../black-box/tls-socket.js'
import { sleep, timeUntil, until } from '../../black-box/waiting.js'
import type { WireClient } from '../../black-box/wire-client.js'

const perGeneration = 20
const effectiveMs = 5000
/** More certificates than this with open sockets, and the sockets of the oldest are asked to come again. */
const generationsMax = 3

export const tlsReload: Scenario = {
  id: 'TLS',
  title: `certificates are replaced, ${perGeneration} clients come with each; SIGHUP and file change`,
  seconds: { fast: 20, normal: 20, long: 20 },
  async run(run) {
    if (spawnSync('openssl', ['version']).status !== 0) {
      run.skipped = 'there is no openssl to make certificates with'
      return
    }
    const folder = run.folder()
    const certFile = join(folder, 'current.crt')
    const keyFile = join(folder, 'current.key')
    const install = (name: string) => {
      makeCertificate(folder, name)
      replaceFile(keyFile, readFileSync(join(folder, `${name}.key`), 'utf8'))
      replaceFile(certFile, readFileSync(join(folder, `${name}.crt`), 'utf8'))
    }
    install('generation-1')
    // A port by name: only such a one can be listened on twice, which a reload needs.
    const node = await run.startNode({ port: await freePort(), apps: [oneApp], tls: { certFile, keyFile } })
    const target = node.target()
    const stream = new EventStream(new RestClient(target, true), { channel: 'steady', perSecond: 50 })
    const generations: WireClient[][] = []
    const populate = async () => {
      const come = async (client: WireClient) => {
        await client.subscribe(stream.channel)
        stream.read(client)
      }
      generations.push(await run.clients(perGeneration, target, come, { tls: true }))
    }
    await populate()
    stream.start()
    await until('the stream runs', () => stream.readers.every((reader) => reader.received > 50), 5000)

    for (let generation = 2; generation <= generationsMax + 1; generation += 1) {
      const bySignal = generation % 2 === 1
      install(`generation-${generation}`)
      if (bySignal) node.signal('SIGHUP')
      const took = await timeUntil(
        async () => (await nameShown(target)) === `generation-${generation}`,
        effectiveMs + 5000,
      )
      const how = bySignal ? 'with SIGHUP' : 'by the files alone'
      run.reached(`certificate ${generation} shown, ${how}, after`, took, effectiveMs)
      await populate()
      // A reload that follows at once would be the same reload.
      if (generation <= generationsMax)
        run.equal(`clients closed after certificate ${generation}`, countClosed(generations), 0)
    }
    const oldest = generations[0] ?? []
    const emptied = await timeUntil(() => oldest.every((client) => client.closed !== undefined), 10_000)
    run.inTime(`certificate ${generationsMax + 1}: clients of the first closed after`, emptied, 10_000, '≤ 10 s')
    run.equal('of them with 4200', oldest.filter((client) => client.closed?.code === 4200).length, perGeneration)
    run.equal('of the others closed', countClosed(generations.slice(1)), 0)

    const errorsBefore = node.at('error').length
    replaceFile(certFile, 'no certificate')
    const told = await timeUntil(() => node.at('error').length > errorsBefore, effectiveMs)
    run.inTime('a broken certificate is told after', told, effectiveMs)
    await sleep(3000)
    run.equal('errors logged for it', node.at('error').length - errorsBefore, 1)
    run.equal('certificate shown then', await nameShown(target), `generation-${generationsMax + 1}`)

    await stream.stop((index) => index >= perGeneration)
    const others = stream.readers.slice(perGeneration)
    run.equal('events missed by the others, wrong', `${stream.missed(others)}, ${stream.wrong()}`, '0, 0')
    const seen = oldest.map((_, index) => stream.readers[index])
    const gaps = seen.reduce((sum, reader) => sum + (reader?.missing.size ?? 0), 0)
    run.equal('gaps of the oldest until their close', gaps, 0)
    run.equal('triggers over TLS not answered 200', stream.notAccepted, 0)

    install('second-node-1')
    const second = await run.startNode({ port: await freePort(), apps: [oneApp], tls: { certFile, keyFile } })
    install('second-node-2')
    const took = await timeUntil(async () => (await nameShown(second.target())) === 'second-node-2', effectiveMs + 5000)
    run.reached('replaced just after the start, shown after', took, effectiveMs)
  },
}

function makeCertificate(folder: string, name: string): void {
  const files = ['-keyout', join(folder, `${name}.key`), '-out', join(folder, `${name}.crt`)]
  const kind = [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-days',
    '2',
    '-subj',
    `/CN=${name}`,
  ]
  const { status, stderr } = spawnSync('openssl', ['req', '-x509', ...kind, ...files], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`openssl: ${stderr}`)
}

/** The common name of the certificate that a new connection is shown. */
function nameShown(target: Target): Promise<string> {
  return new Promise((resolve) => {
    const socket = openTlsSocket(target)
    socket.once('secureConnect', () => {
      resolve(String(socket.getPeerCertificate().subject.CN))
      socket.destroy()
    })
    socket.once('error', (error) => resolve(error.message))
  })
}

function countClosed(generations: readonly (readonly WireClient[])[]): number {
  return generations.flat().filter((client) => client.closed !== undefined).length
}
