import type { ClientOptions } from 'ws'
import { expect } from 'vitest'
import { RawClient, type Frame } from '../../harness/raw-client.js'

/** Expects that the connection is refused: accepted, told by exactly one pusher:error, then closed with the same code and reason (1.3, 1.5). */
export async function expectTurnedAway(
  url: string,
  code: number,
  message: string,
  options: ClientOptions = {},
): Promise<void> {
  const client = new RawClient(url, options)
  expect(await client.waitForClose()).toEqual({ code, reason: message })
  expect(client.frames.map((frame) => frame.text)).toEqual([errorText(code, message)])
}

/** Expects the next frame to be this pusher:error, to the character (1.6). */
export async function expectError(client: RawClient, code: number | null, message: string): Promise<void> {
  expect((await client.next('pusher:error')).text).toBe(errorText(code, message))
}

/** Expects a refused subscription in both conventions, the channel's own event first, to the character (2.4). */
export async function expectRefused(
  client: RawClient,
  channel: string,
  type: 'AuthError' | 'InvalidChannel' | 'LimitReached',
  status: number,
  message: string,
): Promise<void> {
  const data = JSON.stringify({ type, error: message, status })
  expect((await client.next('pusher:subscription_error')).text).toBe(
    JSON.stringify({ event: 'pusher:subscription_error', channel, data }),
  )
  await expectError(client, null, message)
}

export function errorText(code: number | null, message: string): string {
  return JSON.stringify({ event: 'pusher:error', data: { code, message } })
}

/** The frame of an ordinary event, to the character (2.1). */
export function eventText(event: string, channel: string, data: string, userId?: string): string {
  return JSON.stringify({ event, channel, data, ...(userId === undefined ? {} : { user_id: userId }) })
}

/** What one metric says now; 0 when it does not exist yet. @param labels as in `kind="binary"` */
export async function metricOf(metricsUrl: string, name: string, labels: string): Promise<number> {
  const text = await (await fetch(`${metricsUrl}/metrics`)).text()
  const line = text.split('\n').find((each) => each.startsWith(`${name}{`) && each.includes(labels))
  return Number(line?.slice(line.lastIndexOf(' ')) ?? 0)
}

/** Every unread frame up to the answer to a ping sent now: all that the server has sent for what it got so far. */
export async function framesSoFar(client: RawClient): Promise<Frame[]> {
  client.send({ event: 'pusher:ping', data: {} })
  const frames: Frame[] = []
  for (;;) {
    const frame = await client.next()
    if (frame.event === 'pusher:pong') return frames
    frames.push(frame)
  }
}

/** Unsubscribes, and returns when the server has done so. @returns what came of it before that */
export function unsubscribe(client: RawClient, channel: string): Promise<Frame[]> {
  client.send({ event: 'pusher:unsubscribe', data: { channel } })
  return framesSoFar(client)
}

/** The presence object a subscriber was told (2.5). */
export interface Presence {
  readonly count: number
  readonly ids: readonly string[]
  readonly hash: Readonly<Record<string, unknown>>
}

/** Decodes the data of a presence channel's subscription_succeeded. */
export function presenceOf(frame: { readonly data?: unknown }): Presence {
  expect(typeof frame.data).toBe('string')
  return (JSON.parse(String(frame.data)) as { presence: Presence }).presence
}
