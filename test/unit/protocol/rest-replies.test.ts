import { expect, it } from 'vitest'
import {
  attributesBody,
  batchBody,
  channelBody,
  channelNamesBody,
  channelsBody,
  channelStatsBody,
  connectionsBody,
  usersBody,
} from '../../../src/protocol/rest-replies.js'

const cache = { data: '"\\\n\u2028\ud800', ttl: 5 }
const attributes = { userCount: 1, subscriptionCount: 2, cache }
const plain = { user_count: 1, subscription_count: 2, cache }

it.each([
  [attributesBody({}), {}],
  [attributesBody(attributes), plain],
  [attributesBody({ cache: null }), { cache: null }],
  [channelBody(false, {}), { occupied: false }],
  [channelBody(true, attributes), { occupied: true, ...plain }],
  [channelNamesBody([]), { channels: {} }],
  [channelNamesBody(['a', 'b@c;,.=_-']), { channels: { a: {}, 'b@c;,.=_-': {} } }],
  [channelsBody([]), { channels: {} }],
  [
    channelsBody([
      ['a', {}],
      ['b', attributes],
    ]),
    { channels: { a: {}, b: plain } },
  ],
  [batchBody([]), { batch: [] }],
  [batchBody([{}, attributes]), { batch: [{}, plain] }],
  [usersBody([]), { users: [] }],
  [usersBody(['1', 'a b', '"', 'ü', '\\']), { users: ['1', 'a b', '"', 'ü', '\\'].map((id) => ({ id })) }],
  [connectionsBody(0), { connections: 0 }],
  [channelStatsBody(undefined, 0), { occupied: false, connection_count: 0 }],
  [channelStatsBody(3, 4), { occupied: true, user_count: 3, connection_count: 4 }],
])('%s', (body, expected) => {
  expect(JSON.parse(body)).toEqual(expected)
  expect(body).toBe(JSON.stringify(expected))
})
