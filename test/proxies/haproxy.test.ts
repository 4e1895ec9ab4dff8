import { it } from 'vitest'
import { describeWith } from '../requirements.js'
import * as checks from './checks.js'
import { haproxy } from './haproxy.js'
import { expectFailure, lineTitle, tried, type Line } from './lines.js'
import { without } from './snippet.js'
import { socketUrl, Stage, type Check } from './stage.js'
import * as streaming from './streaming.js'

const shippedChecks: readonly Check[] = [
  checks.upgrade,
  checks.upgradeHeaders,
  checks.silence,
  tunnel,
  checks.tls,
  checks.clientAddress,
  checks.forgedAddress,
  checks.reload,
  checks.largestBody,
  checks.pathPrefix,
  checks.leastConnections,
  checks.stoppingNode,
  checks.deadNode,
  streaming.refusedEarly,
  streaming.answerAtOnce,
  streaming.slowReader,
  streaming.keptConnections,
]

const setFor = 'http-request set-header X-Forwarded-For %[src]'
const setProto = 'http-request set-header X-Forwarded-Proto https if { ssl_fc }'
const asked = 'http-check send meth GET uri /ready ver HTTP/1.1 hdr Host belfry'
const checked = 'default-server check inter 1s fall 2 rise 2'

const lines: readonly Line[] = [
  { edit: without('timeout tunnel 10m'), check: tunnel, symptom: /closed/ },
  { edit: without(setProto), check: checks.tls, symptom: /not connected: 4000/ },
  { edit: without(setFor), check: checks.clientAddress, symptom: /'4100', '4100'/ },
  { edit: without(setFor), check: checks.forgedAddress, symptom: /'open', 'open', 'open'/ },
  {
    edit: { line: setFor, becomes: 'option forwardfor' },
    check: checks.forgedAddress,
    symptom: /'open', 'open', 'open'/,
  },
  {
    edit: { line: 'ssl-default-bind-options', becomes: 'hard-stop-after 1s\n    ssl-default-bind-options' },
    check: checks.reload,
    symptom: /cut/,
  },
  { edit: without('balance leastconn'), check: checks.leastConnections, symptom: /on nodes behind/ },
  {
    edit: { line: asked, becomes: asked.replace('/ready', '/live') },
    check: checks.stoppingNode,
    symptom: /six in a row/,
  },
  { edit: { line: asked, becomes: 'http-check send meth GET uri /ready' }, check: checks.reload, symptom: /503/ },
  { edit: without(checked), check: checks.stoppingNode, symptom: /six in a row/ },
  {
    edit: { line: checked, becomes: `${checked} on-marked-down shutdown-sessions` },
    check: checks.stoppingNode,
    // Cut while it was there, or while it was being opened.
    symptom: /1006|502/,
  },
  { edit: without('option redispatch 1'), check: checks.deadNode, symptom: /not connected|answered 50/ },
]

/** What the timeouts of requests say does not hold for a WebSocket. With 1 s in place of 60 s, and nobody who pings within 3 s. */
async function tunnel(stage: Stage): Promise<void> {
  const shorter = ['client', 'server'].map((side) => ({ line: `timeout ${side} 60s`, becomes: `timeout ${side} 1s` }))
  const proxy = await stage.proxy([await stage.server()], shorter)
  const client = await stage.client(socketUrl(proxy))
  await new Promise((resolve) => setTimeout(resolve, 3000))
  if (client.closed !== undefined) throw new Error(`closed with ${client.closed.code} within 3 s`)
  await client.expectNothing()
}

describeWith(['haproxy'], 'HAProxy', (program) => {
  it.each(shippedChecks.map((check) => [check.name, check] as const))('%s', async (_name, check) => {
    await new Stage(haproxy(program)).play(check)
  })

  it.each(tried(lines).map((line) => [lineTitle(line), line] as const))('fails: %s', async (_title, line) => {
    await expectFailure(haproxy(program), line)
  })
})
