/** What the machine lets the server have, against what the configuration wants. Pure. */
import type { Config } from '../../config/schema.js'
import { amount } from './amounts.js'
import { Findings, type Finding } from './finding.js'

/** Kept free for everything that is no connection (src/observability/open-files.ts). */
const descriptorsReserved = 256
/** A process at start takes about 77 MB (docs/scaling.md). */
const bytesPerProcessMin = 128 * 1024 * 1024
/** The limit of most shells: enough to try things out. */
const descriptorsFew = 1024

export interface Machine {
  /** Descriptors one process may hold; undefined = no limit, or not told. */
  readonly filesMax: number | undefined
  /** Whose limit that is: the server that runs, or a process started from here. */
  readonly filesOf: 'server' | 'here'
  readonly memoryBytes: number
  /** Processes. */
  readonly workers: number
}

type MachineConfig = Pick<Config, 'capacity'>

export function machineFindings(config: MachineConfig, machine: Machine): Finding[] {
  const findings = new Findings('machine')
  judgeFiles(findings, config, machine)
  judgeMemory(findings, config, machine)
  return findings.list
}

function judgeFiles(findings: Findings, { capacity }: MachineConfig, machine: Machine): void {
  const { filesMax, filesOf, workers } = machine
  const each = workers > 1 ? ` for each of ${workers} workers` : ''
  if (filesMax === undefined) {
    if (capacity.connections > 0)
      findings.ok('files', `No limit of open files is known; the mark is ${capacity.connections} connections${each}`)
    else
      findings.note(
        'files',
        'No limit of open files is known, so nothing bounds the connections',
        'set capacity.connections',
      )
    return
  }
  const owner = filesOf === 'server' ? 'The running server' : 'A process started from here'
  const room = Math.max(1, filesMax - descriptorsReserved)
  const raise = 'raise the limit where the server is started (LimitNOFILE=, --ulimit nofile=, ulimit -n)'
  if (capacity.connections > room) {
    findings.failed(
      'files',
      `${owner} may open ${filesMax} files, too few for capacity.connections ${capacity.connections}${each}`,
      `${raise} to ${capacity.connections + descriptorsReserved}, or lower capacity.connections to ${room}`,
    )
    return
  }
  const mark = capacity.connections === 0 ? room : capacity.connections
  const text = `${owner} may open ${filesMax} files, and the mark is ${mark} connections${each}`
  if (filesMax <= descriptorsFew && capacity.connections === 0) findings.warning('files', text, raise)
  else findings.ok('files', text)
}

function judgeMemory(findings: Findings, { capacity }: MachineConfig, { memoryBytes, workers }: Machine): void {
  const bytesEach = memoryBytes / workers
  const each = workers > 1 ? `, so ${amount(bytesEach)} for each of ${workers} workers` : ''
  const mark =
    capacity.memoryPercent === 0 ? 'no mark is set' : `connections are refused above ${capacity.memoryPercent} %`
  if (bytesEach < bytesPerProcessMin) {
    findings.warning(
      'memory',
      `The memory limit is ${amount(memoryBytes)}${each}, and a process takes about 80 MiB before the first connection`,
      `give it ${amount(bytesPerProcessMin)} or more for each process`,
    )
  } else findings.ok('memory', `The memory limit is ${amount(memoryBytes)}${each}; ${mark}`)
}

/** @param behindProxy whether the address of --url is that of another machine or port; undefined without --url */
export function proxyFindings(
  { trustedProxies, capacity, apps }: Pick<Config, 'trustedProxies' | 'capacity' | 'apps'>,
  behindProxy: boolean | undefined,
): Finding[] {
  const findings = new Findings('config')
  const open = trustedProxies.find((network) => /\/0$/.test(network))
  if (open !== undefined) {
    findings.warning(
      'trustedProxies',
      `trustedProxies holds ${open}, so anybody may claim any address in X-Forwarded-For`,
      'list only the addresses of your proxies',
    )
    return findings.list
  }
  const users = [
    ...(capacity.connectionsPerAddress > 0 ? ['capacity.connectionsPerAddress counts all its clients as one'] : []),
    ...(apps.some(({ tlsOnly }) => tlsOnly) ? ['tlsOnly apps refuse all its clients'] : []),
  ]
  if (trustedProxies.length > 0 || behindProxy === false) return findings.list
  if (behindProxy === undefined && capacity.connectionsPerAddress === 0) return findings.list
  const text = 'trustedProxies is empty, so X-Forwarded-For of a proxy is not believed'
  const remedy = 'if a proxy is in front, list its address in trustedProxies'
  if (users.length > 0) findings.warning('trustedProxies', `${text}, and ${users.join(', and ')}`, remedy)
  else findings.note('trustedProxies', `${text}; nothing that is configured needs it`, remedy)
  return findings.list
}
