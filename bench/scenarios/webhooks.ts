/**
 * What webhooks cost the server: the same steady load on an app with a webhook and on one without, in the same process; the
 * difference is theirs. Beside it, as many triggers.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { spread } from '../load/load.js'
import type { Load } from '../load/load.js'
import { runPaced } from '../load/paced.js'
import type { PusherClient } from '../load/pusher-client.js'
import type { WebhookFigures, WebhookReceiver } from '../load/webhook-receiver.js'
import { clientFrame, opcodes } from '../load/websocket-frame.js'
import { perUnit } from '../measure/meter.js'
import type { Measured } from '../measure/meter.js'
import type { Reading, Scenario, ScenarioRun, Webhooks } from '../scenario.js'
import { PublishedChannel, restLanes } from './published-channel.js'

const perSecond = 5_000
/** Enough for what comes due at once. */
const connections = 25
const whisperChannels = 100
/** A channel is vacated so many operations after it was occupied. */
const openChannels = 500
/** Longer than a leave is held back: what is told of it is as steady as the load. */
const steadyMs = 4_500
/** From an event to its webhook, and longer: a batch is closed after 50 ms. */
const toldMs = 300
const toldMostMs = 5_000
/** Of events in a measured span; more means that the load was no steady one. */
const deviationMost = 0.25

/** Its rows: what events cost, what a trigger costs, the one by the other. */
interface Rows {
  readonly cost: string
  readonly trigger?: string
  readonly ratio?: string
}

function clientEvents(rows: Rows): Scenario {
  return scenario(rows, async ({ load, meter, pace }, { load: hooked, receiver }) => {
    const [plain, told] = [await whisperer(load), await whisperer(hooked)]
    await runPaced(perSecond, pace.warmupMs, plain)
    await runPaced(perSecond, pace.warmupMs, told)
    await wait(toldMs)
    const before = await receiver.figures()
    const spans: Measured<number>[][] = [[], []]
    // In turn, so that a machine that drifts favours neither.
    for (let slice = 0; slice < 2; slice += 1) {
      for (const [index, act] of [plain, told].entries()) {
        const span = await meter.cpu(async () => {
          const count = await runPaced(perSecond, pace.measureMs, act)
          await wait(toldMs)
          return count
        })
        spans[index]?.push(span)
      }
    }
    const [without = [], withThem = []] = spans
    const sent = sum(withThem.map(({ result }) => result))
    const events = await eventsSince(receiver, before, sent)
    if (events !== sent) load.faults.add('lost', `${sent} client events had ${events} webhook events`)
    return difference(withThem, without)
  })
}

function transitions(rows: Rows): Scenario {
  return scenario(rows, async ({ load, meter, pace }, { load: hooked, receiver }) => {
    const [plain, told] = [await flapper(load), await flapper(hooked)]
    const measure = (act: typeof plain) => meter.cpu(() => runPaced(perSecond, 2 * pace.measureMs, act))
    // The path over Redis is long, and what is measured would be the compiler.
    await runPaced(perSecond, steadyMs, plain)
    await runPaced(perSecond, steadyMs, told)
    const before = await receiver.figures()
    const withThem = await measure(told)
    const { events } = await receiver.figures()
    const deviation = Math.abs((events - before.events) / withThem.result - 1)
    if (deviation > deviationMost) {
      throw new Error(
        `${withThem.result} channels occupied or vacated, ${events - before.events} webhook events meanwhile`,
      )
    }
    // What was held back is told first.
    await wait(steadyMs)
    return difference([withThem], [await measure(plain)])
  })
}

type Cost = Pick<Measured<number>, 'microseconds' | 'parts'> & { readonly events: number }

function scenario(rows: Rows, measure: (run: ScenarioRun, webhooks: Webhooks) => Promise<Cost>): Scenario {
  return {
    name: rows.cost,
    rows: [rows.trigger, rows.cost, rows.ratio].filter((row) => row !== undefined),
    quick: false,
    needsWebhooks: true,
    async run(run) {
      const { webhooks } = run
      if (webhooks === undefined) throw new Error('no webhooks')
      const { microseconds, parts, events } = await measure(run, webhooks)
      const { malformed, repeated } = await webhooks.receiver.figures()
      run.load.faults.add('malformed', 'webhooks with a wrong key, signature or id', malformed)
      run.load.faults.add('doubled', 'webhook events', repeated)
      const value = microseconds / events
      const readings: Reading[] = [{ row: rows.cost, value, operations: events, parts: perUnit(parts, events) }]
      if (rows.ratio === undefined) return readings
      const trigger = await triggers(run)
      if (rows.trigger !== undefined) readings.push({ ...trigger, row: rows.trigger })
      return [...readings, { row: rows.ratio, value: value / trigger.value, operations: events }]
    },
  }
}

export const webhooks: readonly Scenario[] = [
  clientEvents({ cost: 'webhook-client-event', trigger: 'webhook-trigger', ratio: 'webhook-client-event-ratio' }),
  transitions({ cost: 'webhook-transition', ratio: 'webhook-transition-ratio' }),
]

export const clusterWebhooks: readonly Scenario[] = [
  clientEvents({ cost: 'cluster-webhook-client-event' }),
  transitions({ cost: 'cluster-webhook-transition' }),
]

/** One connection that whispers in many channels in turn, where nobody listens. */
async function whisperer(load: Load): Promise<(first: number, count: number) => void> {
  const names = Array.from({ length: whisperChannels }, (_, index) => `private-whisper-${index}`)
  const [client] = await load.clients(1, async (own) => {
    for (const name of names) await own.subscribe(name)
  })
  const frames = names.map((channel) =>
    clientFrame(opcodes.text, `{"event":"client-typing","channel":"${channel}","data":{"text":"${'x'.repeat(50)}"}}`),
  )
  return (first, count) => {
    client?.send(Buffer.concat(Array.from({ length: count }, (_, index) => frames[(first + index) % frames.length]!)))
  }
}

/** Subscribes to channels that nobody had before, and leaves each a while later for ever, in turn. */
async function flapper(load: Load): Promise<(first: number, count: number) => Promise<void>> {
  const clients = await load.clients(connections, async () => {}, spread)
  const clientOf = (channel: number): PusherClient => clients[channel % clients.length]!
  const unsubscribe = (channel: number) =>
    clientFrame(opcodes.text, `{"event":"pusher:unsubscribe","data":{"channel":"channel-${channel}"}}`)
  let opened = 0
  let closed = 0
  let answered: Promise<unknown> = Promise.resolve()
  return async (_first, count) => {
    // What was asked for a tick ago is answered by now, or the server cannot keep the pace.
    await answered
    const subscribed: Promise<string>[] = []
    for (let done = 0; done < count; done += 1) {
      const isFull = opened - closed >= openChannels
      if (isFull) clientOf(closed).send(unsubscribe(closed++))
      else subscribed.push(clientOf(opened).subscribe(`channel-${opened++}`))
    }
    answered = Promise.all(subscribed)
  }
}

/** As many triggers a second to a channel with one subscriber. */
async function triggers({ load, meter, pace }: ScenarioRun): Promise<Reading> {
  const options = { channel: 'trigger', publishers: connections, ringSize: 64, dataBytes: 100 }
  const channel = new PublishedChannel(load, options)
  await channel.subscribe(load, 1)
  const send = restLanes(load, connections)
  const underWay: Promise<void>[] = Array.from({ length: connections }, () => Promise.resolve())
  const act = async (first: number, count: number) => {
    for (let done = 0; done < count; done += 1) {
      const lane = (first + done) % connections
      await underWay[lane]
      underWay[lane] = channel.trigger(lane, send(lane))
    }
  }
  await runPaced(perSecond, pace.warmupMs, act)
  const { microseconds, result, parts } = await meter.cpu(async () => {
    const count = await runPaced(perSecond, pace.measureMs, act)
    await Promise.all(underWay)
    return count
  })
  return { row: '', value: microseconds / result, operations: result, parts: perUnit(parts, result) }
}

function difference(withThem: readonly Measured<number>[], without: readonly Measured<number>[]): Cost {
  const costOf = (spans: readonly Measured<number>[], pick: (span: Measured<number>) => number) =>
    sum(spans.map(pick)) / sum(spans.map(({ result }) => result))
  const events = sum(withThem.map(({ result }) => result))
  const own = (pick: (span: Measured<number>) => number) => events * (costOf(withThem, pick) - costOf(without, pick))
  const names = Object.keys(withThem[0]?.parts ?? {})
  return {
    events,
    microseconds: own(({ microseconds }) => microseconds),
    parts: Object.fromEntries(names.map((name) => [name, own(({ parts }) => parts[name] ?? 0)])),
  }
}

/** What has come since, when it is so many, or after a while. */
async function eventsSince(receiver: WebhookReceiver, before: WebhookFigures, wanted: number): Promise<number> {
  const deadline = performance.now() + toldMostMs
  for (;;) {
    const events = (await receiver.figures()).events - before.events
    if (events >= wanted || performance.now() > deadline) return events
    await wait(50)
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
