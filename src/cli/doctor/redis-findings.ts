/** What an examination of Redis means for whoever runs it. Pure. */
import type { Examination, Examined } from '../../backend/redis/examine.js'
import { amount, clockVerdict, milliseconds } from './amounts.js'
import { Findings, type Finding } from './finding.js'

type Failure = NonNullable<Examined['failure']>
type Facts = NonNullable<Examined['facts']>

/** Round trips above this make every trigger and every join slow. */
const medianWarnMs = 10
/** And single ones above this come near `cluster.subscribeTimeoutMs` (300). */
const worstWarnMs = 200
/** Redis's own default is 32 MB. */
const pubsubBufferWarnBytes = 8 * 1024 * 1024
/** The command connection is never silent for longer than the period of the bus proof. */
const idleTimeoutWarnSeconds = 5
const memoryWarnPercent = 50

export function redisFindings(examination: Examination): Finding[] {
  const findings = new Findings('redis')
  const { servers, problem, partitionsMissing } = examination
  if (problem !== undefined) findings.failed('configuration', `Redis cannot be asked (${problem})`, 'correct redis')
  for (const examined of servers) judge(findings, examined, servers)
  if (servers.length > 0 && servers.every(({ is }) => is === 'sentinel') && problem === undefined) {
    findings.failed(
      'master',
      'No sentinel names a master, so Redis was not asked',
      'see the lines about the sentinels, redis.nodes and redis.sentinelName',
    )
  }
  if (partitionsMissing > 0 && servers.some(({ is }) => is === 'server')) {
    findings.failed(
      'slots',
      `${partitionsMissing} of the partitions are in slots that no master of the Redis Cluster has`,
      'run `redis-cli --cluster check` and `--cluster fix` on one of its servers',
    )
  }
  return findings.list
}

function judge(findings: Findings, examined: Examined, all: readonly Examined[]): void {
  const { name, is, failure, facts } = examined
  if (is === 'server') {
    if (failure !== undefined) unreachable(findings, `Redis ${name}`, failure, 'redis.url')
    if (facts !== undefined) judgeFacts(findings, `Redis ${name}`, facts)
    return
  }
  const what = is === 'sentinel' ? `The sentinel ${name}` : `Redis ${name} of redis.nodes`
  const others = all.some((other) => other.is === is && other.failure === undefined)
  const reached = others || (is === 'seed' && all.some((other) => other.is === 'server'))
  if (failure === undefined) findings.ok('sentinel', `${what} answers and knows the master`)
  else if (reached) {
    findings.warning(
      'nodes',
      `${what} cannot be used (${failure.text}), though others can`,
      'start it again or take it out of redis.nodes',
    )
  } else unreachable(findings, what, failure, 'redis.nodes')
}

function unreachable(findings: Findings, what: string, { kind, text }: Failure, key: string): void {
  switch (kind) {
    case 'name':
      findings.failed('reachable', `${what} has no address (${text})`, `correct the host in ${key}, or its DNS record`)
      return
    case 'closed':
      findings.failed('reachable', `${what} cannot be reached (${text})`, `start it, or correct ${key}`)
      return
    case 'silent':
      findings.failed(
        'reachable',
        `${what} does not answer (${text})`,
        `let this machine through its firewall or security group, or correct ${key}`,
      )
      return
    case 'tls':
      findings.failed(
        'tls',
        `No connection to ${what.replace(/^The/, 'the')} came about by TLS or by plain TCP, whichever is configured (${text})`,
        'use rediss:// if it serves TLS and redis:// if it does not, and give its authority as redis.tls.caFile',
      )
      return
    case 'login':
      findings.failed(
        'login',
        `${what} refuses the user or its password (${text})`,
        'correct them in redis.url (special characters percent-encoded), and for sentinels redis.sentinelPassword',
      )
      return
    case 'refused':
      findings.failed('reachable', `${what} answers, but refuses (${text})`, `see what it says, its log, and ${key}`)
  }
}

function judgeFacts(findings: Findings, what: string, facts: Facts): void {
  findings.ok('reachable', `${what} answers${facts.version === undefined ? '' : `, version ${facts.version}`}`)
  if (facts.role === 'slave') {
    findings.failed(
      'role',
      `${what} is a replica of ${facts.masterAddress ?? 'another server'} and takes no writes`,
      'name the master in redis.url, or use redis.mode sentinel',
    )
  }
  if (facts.unfit !== undefined) {
    const [text = '', ...advice] = facts.unfit.replace(/\.$/, '').split(': ')
    findings.failed(
      'fit',
      `${what} cannot be used: ${text}`,
      advice.length > 0 ? advice.join(': ') : 'see "Redis" in docs/scaling.md',
    )
  }
  judgeRights(findings, what, facts)
  judgeBus(findings, what, facts)
  judgeLatency(findings, what, facts)
  judgeClock(findings, what, facts)
  judgeMemory(findings, what, facts)
  judgeSettings(findings, what, facts)
}

function judgeRights(findings: Findings, what: string, facts: Facts): void {
  if (facts.forbidden.length > 0) {
    findings.failed(
      'rights',
      `The user of ${what} may not use ${facts.forbidden.join(', ')}`,
      'give it the ACL line of docs/scaling.md ("Password and rights")',
    )
  } else if (facts.unfit === undefined && facts.writeRefusal === undefined) {
    findings.ok('rights', `The user of ${what} may use every command that is needed`)
  }
  // A replica refuses writes too, which has been said.
  if (facts.writeRefusal !== undefined && facts.role !== 'slave') {
    findings.failed('writes', `${what} refuses writes (${facts.writeRefusal})`, writeRemedy(facts.writeRefusal))
  }
}

function writeRemedy(refusal: string): string {
  if (refusal.includes('OOM')) return 'raise maxmemory, and see who fills it'
  if (refusal.includes('MISCONF')) return 'it cannot save to its disk; make room there, or turn snapshots off (save "")'
  return 'see its log'
}

function judgeBus(findings: Findings, what: string, { bus, role, unfit, writeRefusal }: Facts): void {
  if (bus === 'proven') findings.ok('bus', `A message published through ${what} came back`)
  else if (bus === 'silent') {
    findings.failed(
      'bus',
      `A message published through ${what} did not come back within 2 s`,
      'look whether a proxy of Redis is in between that does not pass pub/sub on; connect to the server itself',
    )
  } else if (unfit === undefined && writeRefusal === undefined && role !== 'slave') {
    findings.failed(
      'bus',
      `${what} does not take part in pub/sub (${bus.refused.replace(/\.$/, '')})`,
      'give its user the ACL line of docs/scaling.md ("Password and rights"), or see its log',
    )
  }
}

function judgeLatency(findings: Findings, what: string, { latency }: Facts): void {
  const { count, medianMs, worstMs } = latency
  const figures = `${milliseconds(medianMs)} (worst ${milliseconds(worstMs)} of ${count})`
  if (medianMs > medianWarnMs || worstMs > worstWarnMs) {
    findings.warning(
      'latency',
      `A round trip to ${what} takes ${figures}, and every trigger and join needs one`,
      'put it nearer to the nodes, and see its SLOWLOG and CPU',
    )
  } else findings.ok('latency', `A round trip to ${what} takes ${figures}`)
}

function judgeClock(findings: Findings, what: string, { clock }: Facts): void {
  if (clock === undefined) {
    findings.note('clock', `The clock of ${what} could not be read`)
    return
  }
  const differenceMs = Math.max(0, Math.abs(clock.aheadMs) - clock.errorMs)
  const { verdict, text } = clockVerdict(differenceMs)
  const side = clock.aheadMs > 0 ? 'ahead of' : 'behind'
  if (verdict === 'ok') findings.ok('clock', `The clock of this machine agrees with that of ${what} (${text})`)
  else {
    findings[verdict](
      'clock',
      `The clock of this machine is ${text} ${side} that of ${what}; REST signatures are refused when a node's is 600 s off`,
      'synchronise both by NTP',
    )
  }
}

function judgeMemory(findings: Findings, what: string, { memory }: Facts): void {
  if (memory === undefined) {
    findings.note('eviction', `The memory limit and eviction policy of ${what} could not be read`)
    return
  }
  const { usedBytes, maxBytes, policy } = memory
  if (maxBytes === 0) {
    findings.note('eviction', `${what} has no maxmemory, so it never evicts, and the machine's memory is its limit`)
    return
  }
  const share = (usedBytes / maxBytes) * 100
  if (policy !== 'noeviction') {
    findings.warning(
      'eviction',
      `${what} has maxmemory-policy ${policy} and may remove members who are there once ${amount(maxBytes)} are used`,
      'set maxmemory-policy noeviction, or give Belfry a Redis of its own',
    )
  } else findings.ok('eviction', `${what} evicts nothing (maxmemory ${amount(maxBytes)}, noeviction)`)
  if (share > memoryWarnPercent) {
    findings.warning(
      'memory',
      `${what} uses ${share.toFixed(0)} % of its maxmemory`,
      'raise maxmemory; above 100 % triggers are answered 503',
    )
  }
}

function judgeSettings(findings: Findings, what: string, facts: Facts): void {
  findings.ok('persistence', `Persistence of ${what} is ${persistence(facts)}; Belfry needs none`)
  const { idleTimeoutSeconds, pubsubBufferBytes } = facts
  if (idleTimeoutSeconds === undefined && pubsubBufferBytes === undefined) {
    findings.note('settings', `The settings of ${what} could not be read (CONFIG GET is not allowed)`)
    return
  }
  if (idleTimeoutSeconds !== undefined && idleTimeoutSeconds > 0 && idleTimeoutSeconds < idleTimeoutWarnSeconds) {
    findings.warning(
      'timeout',
      `${what} closes connections that are silent for ${idleTimeoutSeconds} s`,
      'set timeout 0',
    )
  }
  if (pubsubBufferBytes !== undefined && pubsubBufferBytes > 0 && pubsubBufferBytes < pubsubBufferWarnBytes) {
    findings.warning(
      'buffers',
      `${what} cuts a node off that is ${amount(pubsubBufferBytes)} behind with its messages`,
      'set client-output-buffer-limit pubsub to 32mb 8mb 60, the default, or more',
    )
  }
}

function persistence({ appendOnly, save }: Facts): string {
  const log = appendOnly === undefined ? 'unknown for AOF' : `${appendOnly ? 'on' : 'off'} for AOF`
  const snapshots = save === undefined ? 'unknown for snapshots' : `${save === '' ? 'off' : 'on'} for snapshots`
  return `${log} and ${snapshots}`
}
