/** The reads of the REST API on a server with two thousand channels and a presence channel of two hundred. */
import { runLanes } from '../load/lanes.js'
import type { Load } from '../load/load.js'
import { signedRequest } from '../load/target.js'
import { latencyOf } from '../measure/statistics.js'
import type { Scenario } from '../scenario.js'
import { restLanes } from './published-channel.js'

const channelCount = 2_000
const connections = 20
const users = 200
const inFlight = 8

function scenario(
  row: string,
  path: string,
  query: string,
  prepare: (load: Load) => Promise<unknown>,
  isRight: (answer: Record<string, unknown>) => boolean,
): Scenario {
  return {
    name: row,
    rows: [row],
    quick: false,
    async run({ load, meter, pace }) {
      await prepare(load)
      const request = signedRequest(load.target, 'GET', path, '', query)
      const send = restLanes(load, inFlight)
      const first = await send(0)(request)
      // The answer of any server is an object; which one, isRight tells.
      if (!isRight(JSON.parse(first.toString()) as Record<string, unknown>)) {
        load.faults.add('malformed', `${path} was answered ${first.toString()}`)
      }
      const step = async (lane: number) => {
        const body = await send(lane)(request)
        if (!body.equals(first)) load.faults.add('malformed', `${path} was answered ${body.toString()}`)
      }
      await runLanes(inFlight, pace.warmupMs, step)
      const { microseconds, result } = await meter.cpu(() => runLanes(inFlight, pace.measureMs / 2, step))
      const { operations } = result
      return [{ row, value: microseconds / operations, operations, latency: latencyOf(result.latenciesMs) }]
    },
  }
}

const openChannels = (load: Load) =>
  load.clients(connections, async (client, index) => {
    for (let name = index; name < channelCount; name += connections) await client.subscribe(`channel-${name}`)
  })

const openRoom = (load: Load) =>
  load.clients(users, (client, index) =>
    client.subscribe('presence-room', JSON.stringify({ user_id: `user-${index}`, user_info: { name: `N ${index}` } })),
  )

export const restReads: readonly Scenario[] = [
  scenario(
    'read-channel',
    '/channels/channel-7',
    'info=subscription_count',
    openChannels,
    (answer) => answer['occupied'] === true && answer['subscription_count'] === 1,
  ),
  scenario(
    'read-list',
    '/channels',
    '',
    openChannels,
    ({ channels }) =>
      typeof channels === 'object' && channels !== null && Object.keys(channels).length === channelCount,
  ),
  scenario(
    'read-users',
    '/channels/presence-room/users',
    '',
    openRoom,
    (answer) => Array.isArray(answer['users']) && answer['users'].length === users,
  ),
]
