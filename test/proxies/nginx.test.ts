import { it } from 'vitest'
import { describeWith } from '../requirements.js'
import * as checks from './checks.js'
import { expectFailure, lineTitle, tried, type Line } from './lines.js'
import { nginx, startNginx } from './nginx.js'
import type { ProxyKind } from './proxy.js'
import { without } from './snippet.js'
import { Stage, type Check } from './stage.js'
import * as streaming from './streaming.js'

const shippedChecks: readonly Check[] = [
  checks.upgrade,
  checks.upgradeHeaders,
  checks.silence,
  checks.tls,
  checks.clientAddress,
  checks.forgedAddress,
  checks.reload,
  checks.largestBody,
  checks.pathPrefix,
  checks.leastConnections,
  checks.deadNode,
  streaming.refusedEarly,
  streaming.answerAtOnce,
  streaming.slowReader,
  streaming.keptConnections,
]

const upgradeLine = 'proxy_set_header Upgrade $http_upgrade;'
const connectionLine = 'proxy_set_header Connection $belfry_connection;'

const lines: readonly Line[] = [
  { edit: without('proxy_http_version 1.1;'), check: checks.upgrade, symptom: /pusher-js is subscribed/ },
  { edit: without(upgradeLine), check: checks.upgradeHeaders, symptom: /not connected: Unexpected server response/ },
  { edit: without(connectionLine), check: checks.upgradeHeaders, symptom: /not connected: Unexpected server response/ },
  { edit: without(connectionLine), check: streaming.keptConnections, symptom: /connections for 10 requests/ },
  { edit: without('proxy_set_header X-Forwarded-Proto $scheme;'), check: checks.tls, symptom: /not connected: 4000/ },
  {
    edit: without('proxy_set_header X-Forwarded-For $remote_addr;'),
    check: checks.clientAddress,
    symptom: /'4100', '4100'/,
  },
  {
    edit: without('proxy_set_header X-Forwarded-For $remote_addr;'),
    check: checks.forgedAddress,
    symptom: /'open', 'open', 'open'/,
  },
  {
    edit: { line: 'X-Forwarded-For $remote_addr;', becomes: 'X-Forwarded-For $proxy_add_x_forwarded_for;' },
    check: checks.forgedAddress,
    symptom: /'open', 'open', 'open'/,
  },
  {
    edit: { line: 'worker_processes 2;', becomes: 'worker_processes 2; worker_shutdown_timeout 1s;' },
    check: checks.reload,
    symptom: /cut/,
  },
  { edit: without('client_max_body_size 8m;'), check: checks.largestBody, symptom: /413/ },
  { edit: without('least_conn;'), check: checks.leastConnections, symptom: /on nodes behind/ },
  { edit: without('proxy_request_buffering off;'), check: streaming.refusedEarly, symptom: /before the body/ },
  { edit: without('proxy_buffering off;'), check: streaming.slowReader, symptom: /MB that left the server/ },
  { edit: without('keepalive 32;'), check: streaming.keptConnections, symptom: /connections for 10 requests/ },
]

/** The site of Reverb's documentation, which Laravel's server tools write too; inside a server block. */
const reverbLocation = `
    location /app {
        proxy_http_version 1.1;
        proxy_set_header Host $http_host;
        proxy_set_header Scheme $scheme;
        proxy_set_header SERVER_PORT $server_port;
        proxy_set_header REMOTE_ADDR $remote_addr;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection "Upgrade";

        proxy_pass http://0.0.0.0:8080;
    }
`

describeWith(['nginx'], 'nginx', (program) => {
  it.each(shippedChecks.map((check) => [check.name, check] as const))('%s', async (_name, check) => {
    await new Stage(nginx(program)).play(check)
  })

  it.each(tried(lines).map((line) => [lineTitle(line), line] as const))('fails: %s', async (_title, line) => {
    await expectFailure(nginx(program), line)
  })

  it.each([
    ['below a path of the application', reverbLocation],
    ['on a host of its own', reverbLocation.replace('location /app {', 'location / {')],
  ])("works with the site of Reverb's documentation, %s", async (_where, location) => {
    const site = reverbSite(program, location)
    for (const check of [checks.upgrade, checks.silence, checks.clientAddress, checks.reload]) {
      await new Stage(site).play(check)
    }
  })
})

/** As it is, but for addresses; a read timeout is added where a check needs a shorter one than nginx's own. */
function reverbSite(program: string, location: string): ProxyKind {
  const site = (port: number, tlsPort: number, certFile: string, keyFile: string) => `
server {
    listen 127.0.0.1:${tlsPort} ssl;
    listen 127.0.0.1:${port};
    ssl_certificate ${certFile};
    ssl_certificate_key ${keyFile};
${location}
}`
  return {
    start: ([node], edits) =>
      startNginx(program, '# site', (port, tlsPort, { certFile, keyFile }) => [
        { line: '# site', becomes: site(port, tlsPort, certFile, keyFile) },
        { line: 'http://0.0.0.0:8080', becomes: `http://127.0.0.1:${node ?? 0}` },
        ...edits,
      ]),
    shortIdle: [{ line: 'proxy_http_version 1.1;', becomes: 'proxy_http_version 1.1; proxy_read_timeout 3s;' }],
    onlyPrefix: [],
  }
}
