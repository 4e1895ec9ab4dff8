import { it } from 'vitest'
import { describeWith } from '../requirements.js'
import { caddy } from './caddy.js'
import * as checks from './checks.js'
import { expectFailure, lineTitle, tried, type Line } from './lines.js'
import { without } from './snippet.js'
import { Stage, type Check } from './stage.js'
import * as streaming from './streaming.js'

// Not refusedEarly: Caddy holds an early answer back until more of the body has come.
const shippedChecks: readonly Check[] = [
  checks.upgrade,
  checks.upgradeHeaders,
  checks.tls,
  checks.clientAddress,
  checks.forgedAddress,
  checks.reload,
  checks.largestBody,
  checks.pathPrefix,
  checks.leastConnections,
  checks.stoppingNode,
  checks.deadNode,
  streaming.answerAtOnce,
  streaming.slowReader,
  streaming.keptConnections,
]

const lines: readonly Line[] = [
  { edit: without('stream_close_delay 24h'), check: checks.reload, symptom: /cut/ },
  { edit: without('health_uri /ready'), check: checks.stoppingNode, symptom: /six in a row/ },
  { edit: without('lb_try_duration 3s'), check: checks.deadNode, symptom: /not connected|answered 50/ },
]

describeWith(['caddy'], 'Caddy', (program) => {
  it.each(shippedChecks.map((check) => [check.name, check] as const))('%s', async (_name, check) => {
    await new Stage(caddy(program)).play(check)
  })

  it.each(tried(lines).map((line) => [lineTitle(line), line] as const))('fails: %s', async (_title, line) => {
    await expectFailure(caddy(program), line)
  })
})
