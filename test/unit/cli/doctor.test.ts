import { describe, expect, it } from 'vitest'
import type { Examination } from '../../../src/backend/redis/examine.js'
import { amount, clockVerdict, daysUntil, milliseconds } from '../../../src/cli/doctor/amounts.js'
import {
  Findings,
  isWell,
  jsonOf,
  lineOf,
  sentenceOf,
  summaryOf,
  type Finding,
} from '../../../src/cli/doctor/finding.js'
import { machineFindings, proxyFindings, type Machine } from '../../../src/cli/doctor/machine-findings.js'
import { publicAddressOf } from '../../../src/cli/doctor/public-address.js'
import { refusalTrouble, upgradeTrouble } from '../../../src/cli/doctor/public-socket.js'
import { triggerTrouble } from '../../../src/cli/doctor/public-trigger.js'
import { redisFindings } from '../../../src/cli/doctor/redis-findings.js'
import { Redactor } from '../../../src/observability/redact.js'
import { appVariables, configOf } from '../config/load-fixture.js'

type Facts = NonNullable<Examination['servers'][number]['facts']>

const healthy: Facts = {
  unfit: undefined,
  version: '7.0.15',
  role: 'master',
  masterAddress: undefined,
  latency: { count: 20, medianMs: 0.2, worstMs: 1 },
  clock: { aheadMs: 3, errorMs: 0.2 },
  memory: { usedBytes: 1_000_000, maxBytes: 0, policy: 'noeviction' },
  appendOnly: false,
  save: '',
  idleTimeoutSeconds: 0,
  pubsubBufferBytes: 33_554_432,
  forbidden: [],
  writeRefusal: undefined,
  bus: 'proven',
}

function ofRedis(facts: Partial<Facts>): Finding[] {
  const server = { name: 'r:1', is: 'server' as const, failure: undefined, facts: { ...healthy, ...facts } }
  return redisFindings({ servers: [server], problem: undefined, partitionsMissing: 0 })
}

/** What is neither ok nor a note, as `verdict check: sentence`. */
function wrong(findings: readonly Finding[]): string[] {
  return findings
    .filter(({ verdict }) => verdict === 'warning' || verdict === 'failed')
    .map((finding) => `${finding.verdict} ${finding.check}: ${sentenceOf(finding)}`)
}

describe('findings', () => {
  const findings = new Findings('redis')
  findings.ok('a', 'It works')
  findings.note('b', 'It was not tried', '--wait tries it')
  findings.warning('c', 'It is slow', 'buy another')
  findings.failed('d', 'It is gone', 'start it')

  it('are lines with a verdict, an area and one sentence', () => {
    expect(findings.list.map((finding) => lineOf(finding, false))).toEqual([
      'ok       redis    It works.',
      'note     redis    It was not tried: --wait tries it.',
      'warning  redis    It is slow: buy another.',
      'FAILED   redis    It is gone: start it.',
    ])
    expect(lineOf(findings.list[3]!, true)).toBe('\u001b[31mFAILED  \u001b[0m redis    It is gone: start it.')
  })

  it('end with their count', () => {
    expect(summaryOf(findings.list)).toBe('4 findings: 1 failed, 1 warning.')
    expect(summaryOf(findings.list.slice(0, 2))).toBe('2 findings, nothing wrong.')
  })

  it('are well without failures', () => {
    expect(isWell(findings.list)).toBe(false)
    expect(isWell(findings.list.slice(0, 3))).toBe(true)
  })

  it('are JSON for programs', () => {
    expect(JSON.parse(jsonOf(findings.list.slice(3)))).toEqual({
      ok: false,
      findings: [{ area: 'redis', check: 'redis.d', verdict: 'failed', text: 'It is gone', remedy: 'start it' }],
    })
  })

  it('keep a sentence that already says what to do', () => {
    const own = new Findings('config')
    own.failedSentence('valid', 'port is x: correct it.')
    own.failedSentence('valid', 'All is lost.')
    expect(own.list.map(sentenceOf)).toEqual(['port is x: correct it.', 'All is lost: correct it.'])
  })
})

describe('figures', () => {
  it('are short', () => {
    expect([0, 999, 1024, 1_024_000, 6_209_536, 25_769_803_776].map(amount)).toEqual([
      '0 bytes',
      '999 bytes',
      '1 KiB',
      '1000 KiB',
      '5.9 MiB',
      '24 GiB',
    ])
    expect([0.123, 9.99, 10.4, 812].map(milliseconds)).toEqual(['0.12 ms', '9.99 ms', '10 ms', '812 ms'])
    expect([daysUntil(86_400_000, 0), daysUntil(86_399_999, 0), daysUntil(0, 1)]).toEqual([1, 0, -1])
  })

  it.each([
    [1000, 'ok', '1 s'],
    [400, 'ok', '400 ms'],
    [1001, 'warning', '1 s'],
    [300_000, 'warning', '300 s'],
    [300_001, 'failed', '300 s'],
  ])('clocks %i ms apart: %s', (differenceMs, verdict, text) => {
    expect(clockVerdict(differenceMs)).toEqual({ verdict, text })
  })
})

describe('Redis', () => {
  it('that is healthy has nothing wrong', () => {
    expect(wrong(ofRedis({}))).toEqual([])
  })

  it.each<[string, Partial<Facts>, string]>([
    [
      'far away',
      { latency: { count: 20, medianMs: 24, worstMs: 40 } },
      'warning redis.latency: A round trip to Redis r:1 takes 24 ms (worst 40 ms of 20), and every trigger and join needs one: put it nearer to the nodes, and see its SLOWLOG and CPU.',
    ],
    [
      'with a clock behind ours',
      { clock: { aheadMs: 5000, errorMs: 1 } },
      "warning redis.clock: The clock of this machine is 5 s ahead of that of Redis r:1; REST signatures are refused when a node's is 600 s off: synchronise both by NTP.",
    ],
    [
      'with a clock far ahead of ours',
      { clock: { aheadMs: -400_000, errorMs: 1 } },
      "failed redis.clock: The clock of this machine is 400 s behind that of Redis r:1; REST signatures are refused when a node's is 600 s off: synchronise both by NTP.",
    ],
    [
      'nearly full',
      { memory: { usedBytes: 60, maxBytes: 100, policy: 'noeviction' } },
      'warning redis.memory: Redis r:1 uses 60 % of its maxmemory: raise maxmemory; above 100 % triggers are answered 503.',
    ],
    [
      'that evicts',
      { memory: { usedBytes: 1, maxBytes: 1_048_576, policy: 'volatile-ttl' } },
      'warning redis.eviction: Redis r:1 has maxmemory-policy volatile-ttl and may remove members who are there once 1 MiB are used: set maxmemory-policy noeviction, or give Belfry a Redis of its own.',
    ],
    [
      'that hangs up',
      { idleTimeoutSeconds: 2 },
      'warning redis.timeout: Redis r:1 closes connections that are silent for 2 s: set timeout 0.',
    ],
    [
      'with small buffers',
      { pubsubBufferBytes: 1_048_576 },
      'warning redis.buffers: Redis r:1 cuts a node off that is 1 MiB behind with its messages: set client-output-buffer-limit pubsub to 32mb 8mb 60, the default, or more.',
    ],
    [
      'that loses messages',
      { bus: 'silent' },
      'failed redis.bus: A message published through Redis r:1 did not come back within 2 s: look whether a proxy of Redis is in between that does not pass pub/sub on; connect to the server itself.',
    ],
    [
      'that refuses to subscribe',
      { bus: { refused: 'The Redis user may not run SUBSCRIBE.' } },
      'failed redis.bus: Redis r:1 does not take part in pub/sub (The Redis user may not run SUBSCRIBE): give its user the ACL line of docs/scaling.md ("Password and rights"), or see its log.',
    ],
    [
      'that cannot save',
      { writeRefusal: 'MISCONF Redis is configured to save RDB snapshots' },
      'failed redis.writes: Redis r:1 refuses writes (MISCONF Redis is configured to save RDB snapshots): it cannot save to its disk; make room there, or turn snapshots off (save "").',
    ],
    [
      'that is too old',
      { unfit: 'Redis 5.0.3 is too old: Belfry needs 6.2 or newer.', bus: { refused: 'x' } },
      'failed redis.fit: Redis r:1 cannot be used: Redis 5.0.3 is too old: Belfry needs 6.2 or newer.',
    ],
  ])('%s', (_what, facts, sentence) => {
    expect(wrong(ofRedis(facts))).toEqual([sentence])
  })

  it('that tells little is not blamed for it', () => {
    const findings = ofRedis({
      version: undefined,
      clock: undefined,
      memory: undefined,
      appendOnly: undefined,
      save: undefined,
      idleTimeoutSeconds: undefined,
      pubsubBufferBytes: undefined,
    })
    expect(wrong(findings)).toEqual([])
    expect(findings.filter(({ verdict }) => verdict === 'note').map(({ check }) => check)).toEqual([
      'redis.clock',
      'redis.eviction',
      'redis.settings',
    ])
  })

  it.each([
    ['silent', 'does not answer (x): let this machine through its firewall or security group, or correct redis.url.'],
    ['refused', 'answers, but refuses (x): see what it says, its log, and redis.url.'],
  ] as const)('that is %s', (kind, end) => {
    const server = { name: 'r:1', is: 'server' as const, failure: { kind, text: 'x' }, facts: undefined }
    expect(wrong(redisFindings({ servers: [server], problem: undefined, partitionsMissing: 0 }))).toEqual([
      `failed redis.reachable: Redis r:1 ${end}`,
    ])
  })

  it('of a cluster that is not whole', () => {
    const server = { name: 'r:1', is: 'server' as const, failure: undefined, facts: healthy }
    expect(wrong(redisFindings({ servers: [server], problem: undefined, partitionsMissing: 11 }))).toEqual([
      'failed redis.slots: 11 of the partitions are in slots that no master of the Redis Cluster has: run `redis-cli --cluster check` and `--cluster fix` on one of its servers.',
    ])
  })

  it('whose options make no sense', () => {
    expect(wrong(redisFindings({ servers: [], problem: 'redis.url is no URL', partitionsMissing: 0 }))).toEqual([
      'failed redis.configuration: Redis cannot be asked (redis.url is no URL): correct redis.',
    ])
  })
})

describe('the machine', () => {
  const gibibyte = 1024 ** 3
  const roomy: Machine = { filesMax: 100_000, filesOf: 'here', memoryBytes: 4 * gibibyte, workers: 1 }
  const capacity = { connections: 0, memoryPercent: 90, acceptPerSecond: 0, connectionsPerAddress: 0 }

  const onMachine = (machine: Partial<Machine>, more: Partial<typeof capacity> = {}) =>
    machineFindings({ capacity: { ...capacity, ...more } }, { ...roomy, ...machine })

  it('with room for all', () => {
    expect(onMachine({ workers: 4 }).map(sentenceOf)).toEqual([
      'A process started from here may open 100000 files, and the mark is 99744 connections for each of 4 workers.',
      'The memory limit is 4 GiB, so 1 GiB for each of 4 workers; connections are refused above 90 %.',
    ])
  })

  it('with 1024 files', () => {
    expect(wrong(onMachine({ filesMax: 1024, filesOf: 'server' }))).toEqual([
      'warning machine.files: The running server may open 1024 files, and the mark is 768 connections: raise the limit where the server is started (LimitNOFILE=, --ulimit nofile=, ulimit -n).',
    ])
    expect(wrong(onMachine({ filesMax: 1024 }, { connections: 768 }))).toEqual([])
  })

  it('with fewer files than connections', () => {
    expect(wrong(onMachine({ filesMax: 4096 }, { connections: 10_000 }))).toEqual([
      'failed machine.files: A process started from here may open 4096 files, too few for capacity.connections 10000: raise the limit where the server is started (LimitNOFILE=, --ulimit nofile=, ulimit -n) to 10256, or lower capacity.connections to 3840.',
    ])
  })

  it('that tells no limit of files', () => {
    expect(sentenceOf(onMachine({ filesMax: undefined })[0]!)).toBe(
      'No limit of open files is known, so nothing bounds the connections: set capacity.connections.',
    )
  })

  it('with too little memory', () => {
    expect(wrong(onMachine({ memoryBytes: 128 * 1024 ** 2, workers: 2 }))).toEqual([
      'warning machine.memory: The memory limit is 128 MiB, so 64 MiB for each of 2 workers, and a process takes about 80 MiB before the first connection: give it 128 MiB or more for each process.',
    ])
  })
})

describe('trustedProxies', () => {
  const config = (environment: Record<string, string> = {}) =>
    configOf({ environment: { ...appVariables, ...environment } })

  it('that holds everybody', () => {
    expect(wrong(proxyFindings(config({ BELFRY_TRUSTED_PROXIES: '10.0.0.1,0.0.0.0/0' }), undefined))).toEqual([
      'warning config.trustedProxies: trustedProxies holds 0.0.0.0/0, so anybody may claim any address in X-Forwarded-For: list only the addresses of your proxies.',
    ])
  })

  it('that is empty behind a proxy', () => {
    const perAddress = config({ BELFRY_CAPACITY_CONNECTIONS_PER_ADDRESS: '50' })
    expect(wrong(proxyFindings(perAddress, true))).toEqual([
      'warning config.trustedProxies: trustedProxies is empty, so X-Forwarded-For of a proxy is not believed, and capacity.connectionsPerAddress counts all its clients as one: if a proxy is in front, list its address in trustedProxies.',
    ])
    expect(proxyFindings(perAddress, false)).toEqual([])
    expect(proxyFindings(config(), true).map(({ verdict }) => verdict)).toEqual(['note'])
    expect(proxyFindings(config(), undefined)).toEqual([])
    expect(proxyFindings(config({ BELFRY_TRUSTED_PROXIES: '10.0.0.1' }), true)).toEqual([])
  })
})

describe('the public address', () => {
  it.each([
    ['https://ws.example.com', { host: 'ws.example.com', port: 443, secure: true, pathPrefix: '' }],
    ['wss://ws.example.com:8443/ws/', { host: 'ws.example.com', port: 8443, secure: true, pathPrefix: '/ws' }],
    ['http://[::1]:6001/a/app/KEY?protocol=7', { host: '::1', port: 6001, secure: false, pathPrefix: '/a' }],
  ])('%s', (text, address) => {
    expect(publicAddressOf(text)).toEqual(address)
  })

  it.each([
    [4000, 'behind a proxy list it in trustedProxies and let it set X-Forwarded-Proto'],
    [4001, 'give the app of that server by --app-id'],
    [4003, 'enable the app'],
    [4004, 'raise limits.connections'],
    [4005, 'this address has the prefix /ws'],
    [4009, 'try with allowedOrigins ["*"]'],
    [4100, 'see "Capacity"'],
    [4299, 'see docs/errors.md'],
  ])('a refusal with %i has its remedy', (code, remedy) => {
    const trouble = refusalTrouble({ code, message: 'No.' }, { pathPrefix: '/ws' })
    expect(trouble.text).toBe(`Belfry refuses the connection with ${code} (No)`)
    expect(trouble.remedy).toContain(remedy)
  })

  it.each([
    [404, 'Unknown path "/app/k". The REST API answers under …', 'pass the headers Upgrade and Connection on'],
    [400, '', 'pass the headers Upgrade and Connection on'],
    [426, '', 'pass the headers Upgrade and Connection on'],
    [505, '', 'let it speak HTTP/1.1'],
    [404, '<html>', 'route this path to Belfry'],
    [502, '', 'start Belfry'],
    [522, '', 'start Belfry'],
    [200, '<html>', 'point this name or path at the port of Belfry'],
    [308, '', 'give clients the address it leads to'],
    [401, '', 'take this path out of its login'],
    [418, '', 'see its log'],
  ])('an upgrade answered %i', (status, body, remedy) => {
    expect(upgradeTrouble('/app/KEY', status, body, false).remedy).toContain(remedy)
  })

  it('an upgrade answered 502 where plain requests get through', () => {
    expect(upgradeTrouble('/app/KEY', 502, '', true).text).toContain('does not pass the upgrade on')
  })

  it.each([
    [0, '', 'see the log of the proxy'],
    [401, 'Timestamp expired: Given timestamp …', 'by NTP'],
    [401, 'Invalid signature: you should have sent …', "correct the app's secret"],
    [401, 'Unknown auth_key', 'give the app of that server'],
    [404, 'Unknown app "7". …', 'give the app of that server'],
    [503, 'Not confirmed: …', 'see the lines about Redis'],
    [502, '<html>', 'start Belfry'],
    [404, '<html>', 'route /apps'],
    [429, 'Too many events', 'limits.triggersPerSecond'],
    [405, '<html>', 'the log of the proxy'],
  ])('a trigger answered %i %s', (status, body, remedy) => {
    expect(triggerTrouble({ status, body, code: 'X' }).remedy).toContain(remedy)
  })

  it('no sentence of them is taken for a secret', () => {
    const redactor = new Redactor()
    const texts = [
      ...[401, 404, 429, 502, 0].map((status) => triggerTrouble({ status, body: 'Invalid signature', code: 'X' })),
      ...[400, 401, 404, 502].map((status) => upgradeTrouble('/app/KEY', status, '', false)),
    ].map(sentenceOf)
    expect(texts.map((text) => redactor.text(text))).toEqual(texts)
  })
})
