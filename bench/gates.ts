/**
 * The rows of the comparison and what is asked of them. A gate is the highest ratio (server ÷ reference) that is accepted,
 * a goal the ratio aimed at. Costs are the server's CPU time, user + system.
 */
export type Unit = 'µs' | 'ms' | 'bytes' | 'MB' | 'ms/s' | '1/s' | '×'

/** Of a ratio, or of a figure in the row's unit. */
export interface Gate {
  /** The highest that is accepted. */
  readonly gate: number
  /** What is aimed at, below the gate. */
  readonly goal: number
}

export interface Row {
  readonly id: string
  readonly work: string
  /** What one unit of the figure is: a delivery, a trigger, a connection, … */
  readonly per: string
  readonly unit: Unit
  /** Reference server's name → what is asked against it. Absent: measured and shown, not judged. */
  readonly against: Readonly<Record<string, Gate>>
  /** What is asked of the figure itself, whatever the reference. */
  readonly most?: Gate
}

/** A gate and a goal. */
type Asked = readonly [gate: number, goal: number]

const gateOf = ([gate, goal]: Asked): Gate => ({ gate, goal })

const row = (id: string, work: string, per: string, unit: Unit, bare?: Asked, soketi?: Asked, most?: Asked): Row => ({
  id,
  work,
  per,
  unit,
  against: {
    ...(bare === undefined ? {} : { bare: gateOf(bare) }),
    ...(soketi === undefined ? {} : { soketi: gateOf(soketi) }),
  },
  ...(most === undefined ? {} : { most: gateOf(most) }),
})

interface ClusterAsked {
  readonly belfry?: Asked
  readonly soketi?: Asked
  readonly most?: Asked
}

const clusterRow = (id: string, work: string, per: string, unit: Unit, asked: ClusterAsked = {}): Row => ({
  id,
  work,
  per,
  unit,
  against: {
    ...(asked.belfry === undefined ? {} : { belfry: gateOf(asked.belfry) }),
    ...(asked.soketi === undefined ? {} : { 'soketi-cluster': gateOf(asked.soketi) }),
  },
  ...(asked.most === undefined ? {} : { most: gateOf(asked.most) }),
})

/** Two workers beside one process: shown, not judged. */
const workersRow = (id: string, work: string, per: string, unit: Unit): Row => ({ id, work, per, unit, against: {} })

/** Of webhooks alone: what the same load costs without them is taken off. */
const webhookRow = (id: string, work: string, per: string): Row => ({ id, work, per, unit: 'µs', against: {} })

/** What the contract asks: a webhook event costs less than a trigger. */
const webhookRatio = (id: string, work: string): Row => ({
  id,
  work,
  per: 'event',
  unit: '×',
  against: {},
  most: { gate: 1, goal: 0.5 },
})

const clusterTrigger: ClusterAsked = { belfry: [4, 3], soketi: [0.45, 0.3], most: [100, 66] }
const clusterMember: Asked = [1.5, 1.3]
/** Growth above the start, in bytes: what 15 000 connections may take each. */
const connectionBytes: Asked = [3072, 3072]

/** In the order they are printed. Figures against bare and soketi are the measured ones of the design, with room above. */
export const rows: readonly Row[] = [
  row(
    'fanout-100B',
    'fan-out, 1 000 subscribers × 100 B, one message per loop turn',
    'delivery',
    'µs',
    [1.25, 1.1],
    [0.6, 0.5],
  ),
  row('fanout-100B-16', 'the same, 16 triggers in flight', 'delivery', 'µs', [1.35, 1.15], [0.15, 0.1]),
  row('fanout-1KB', 'fan-out × 1 KB, one at a time', 'delivery', 'µs', [1.25, 1.1], [0.25, 0.18]),
  row('fanout-1KB-16', 'the same, 16 triggers in flight', 'delivery', 'µs', [1.35, 1.15]),
  row('fanout-10-100B', 'fan-out, 10 subscribers × 100 B, one at a time', 'delivery', 'µs'),
  row('fanout-10-100B-16', 'the same, 16 triggers in flight', 'delivery', 'µs'),
  row('fanout-10-1KB', 'fan-out, 10 subscribers × 1 KB, one at a time', 'delivery', 'µs'),
  row('fanout-10-1KB-16', 'the same, 16 triggers in flight', 'delivery', 'µs'),
  row('fanout-5000-100B', 'fan-out, 5 000 subscribers × 100 B, one at a time', 'delivery', 'µs'),
  row('fanout-5000-100B-16', 'the same, 16 triggers in flight', 'delivery', 'µs'),
  row('fanout-5000-1KB', 'fan-out, 5 000 subscribers × 1 KB, one at a time', 'delivery', 'µs'),
  row('fanout-5000-1KB-16', 'the same, 16 triggers in flight', 'delivery', 'µs'),
  row('fanout-steady', '20 events/s to 1 000 (cold caches)', 'delivery', 'µs', [1.3, 1.15], [0.75, 0.65]),
  row('trigger-one', 'one subscriber: the REST path', 'trigger', 'µs', [1.6, 1.3], [0.33, 0.22]),
  row('channels-keepalive', '1 000 channels × 3, keep-alive', 'trigger', 'µs', [1.5, 1.3], [0.42, 0.3]),
  row('channels-fresh', 'the same, new TCP connection per trigger (PHP-FPM)', 'trigger', 'µs', [1.7, 1.4], [0.62, 0.5]),
  row('batch-10', 'batch of 10, 3 subscribers each', 'request', 'µs', [1.35, 1.2], [0.5, 0.4]),
  row('multi-100', 'one trigger for 100 channels, 3 subscribers each', 'request', 'µs'),
  row('client-event', 'client event, 9 deliveries', 'event', 'µs', [1.3, 1.15], [0.6, 0.5]),
  row('presence-join', 'presence channel of 200: join', 'join', 'µs', [1.35, 1.15], [0.3, 0.22]),
  row('presence-leave', 'presence channel of 200: leave', 'leave', 'µs', [1.35, 1.15], [0.3, 0.22]),
  row('presence-1000-join', 'presence channel of 1 000: join', 'join', 'µs'),
  row('presence-1000-leave', 'presence channel of 1 000: leave', 'leave', 'µs'),
  row('connect-public', 'connect + public subscribe', 'connection', 'µs'),
  row('connect-private', 'connect + private subscribe', 'connection', 'µs', [1.8, 1.4], [0.65, 0.5]),
  row('accept', 'accept storm: 256 connections opening at any time', 'connection', 'µs'),
  row('accept-rate', 'the same: connections per second of one core (more is better)', 'core', '1/s'),
  row(
    'idle-rss',
    'RSS per idle subscribed connection, 15 000 of them',
    'connection',
    'bytes',
    [1.6, 1.2],
    [0.75, 0.6],
    connectionBytes,
  ),
  row('start-rss', 'RSS at start', 'process', 'MB', [1.8, 1.5], [0.75, 0.6]),
  row('idle-cpu', 'idle CPU, 3 000 silent connections (no client pings)', 'second', 'ms/s', [3, 2], [0.2, 0.1]),
  row('idle-cpu-15000', 'idle CPU, 15 000 silent connections', 'second', 'ms/s'),
  row('idle-cpu-pings', 'the same, each client pings every 30 s', 'second', 'ms/s'),
  row('read-channel', 'GET one channel', 'request', 'µs', [3, 2]),
  row('read-list', 'GET list of 2 000 channels', 'request', 'µs', [2, 1.5]),
  row('read-users', 'GET 200 users', 'request', 'µs', [3, 2]),
  webhookRow('webhook-trigger', '5 000 triggers/s, one subscriber', 'trigger'),
  webhookRow('webhook-client-event', '5 000 client events/s: the webhooks alone', 'event'),
  webhookRatio('webhook-client-event-ratio', 'the same ÷ a trigger'),
  webhookRow('webhook-transition', '5 000 channels/s occupied or vacated: the webhooks alone', 'event'),
  webhookRatio('webhook-transition-ratio', 'the same ÷ a trigger'),
  row('hold', '10 000 connections, one event to all', 'delivery', 'µs'),
  clusterRow(
    'cluster-trigger-apart',
    'trigger at one node, one subscriber at the other',
    'trigger',
    'µs',
    clusterTrigger,
  ),
  clusterRow('cluster-trigger-here', 'the same, the subscriber where the trigger is', 'trigger', 'µs', clusterTrigger),
  clusterRow('cluster-fanout', 'fan-out, 500 subscribers at each node, one message per loop turn', 'delivery', 'µs', {
    belfry: [1.3, 1.15],
  }),
  clusterRow('cluster-fanout-16', 'the same, 16 triggers in flight', 'delivery', 'µs'),
  clusterRow('cluster-presence-join', 'presence channel of 200 on both nodes: join', 'join', 'µs', {
    belfry: clusterMember,
    soketi: [0.5, 0.3],
  }),
  clusterRow('cluster-presence-leave', 'presence channel of 200 on both nodes: leave', 'leave', 'µs', {
    belfry: clusterMember,
  }),
  clusterRow('cluster-connect', 'connect + own private channel + disconnect', 'connection', 'µs'),
  clusterRow('cluster-idle', '1 000 silent connections', 'second', 'ms/s'),
  clusterRow('cluster-subscribe', 'subscribe to a new channel', 'channel', 'µs'),
  clusterRow('cluster-channel-bytes', 'Redis memory: occupied channel, subscribers at one node', 'channel', 'bytes'),
  clusterRow('cluster-node-bytes', 'the same, per further node with subscribers', 'channel', 'bytes'),
  clusterRow('cluster-member-bytes', 'Redis memory: presence member, 100 in a channel', 'member', 'bytes'),
  clusterRow('cluster-webhook-client-event', '5 000 client events/s: the webhooks alone', 'event', 'µs'),
  clusterRow('cluster-webhook-transition', '5 000 channels/s occupied or vacated: the webhooks alone', 'event', 'µs'),
  clusterRow('cluster-resubscribe', '50 000 channels subscribed again after a cut', 'cut', 'ms', { most: [1000, 500] }),
  clusterRow('cluster-list', 'GET list of 100 000 channels: time', 'request', 'ms'),
  clusterRow('cluster-list-blocks', 'the same: longest command of Redis', 'command', 'ms', { most: [10, 3] }),
  workersRow('workers-fanout-100B', 'fan-out, 1 000 subscribers × 100 B, one at a time', 'delivery', 'µs'),
  workersRow('workers-fanout-100B-16', 'the same, 16 triggers in flight', 'delivery', 'µs'),
  workersRow('workers-fanout-5000-100B', 'fan-out, 5 000 subscribers × 100 B, one at a time', 'delivery', 'µs'),
  workersRow('workers-trigger-one', 'one subscriber: the REST path', 'trigger', 'µs'),
  workersRow('workers-channels-keepalive', '1 000 channels × 3, keep-alive', 'trigger', 'µs'),
  workersRow('workers-client-event', 'client event, 9 deliveries', 'event', 'µs'),
  workersRow('workers-presence-join', 'presence channel of 200: join', 'join', 'µs'),
  workersRow('workers-presence-leave', 'presence channel of 200: leave', 'leave', 'µs'),
  workersRow('workers-connect-private', 'connect + private subscribe', 'connection', 'µs'),
  workersRow('workers-accept', 'accept storm: 256 connections opening at any time', 'connection', 'µs'),
  workersRow('workers-accept-rate', 'the same: connections per second of one core (more is better)', 'core', '1/s'),
]

export type Verdict = 'goal' | 'in gate' | 'at the gate' | 'OVER'

/** Ratios this close to a gate, in either direction, are noise on a shared machine and neither pass nor failure. */
const gateBand = 0.1

/** What a ratio, or a figure, says about one gate. */
export function verdict(value: number, { gate, goal }: Gate): Verdict {
  if (value <= goal) return 'goal'
  if (value < gate * (1 - gateBand)) return 'in gate'
  return value <= gate * (1 + gateBand) ? 'at the gate' : 'OVER'
}
