/** Client events at a steady rate from one connection, over many channels in turn, each numbered: the webhooks of them are what is looked at. */
import { clientFrame, opcodes } from '../../bench/load/websocket-frame.js'
import { sleep, until } from '../black-box/waiting.js'
import type { WireClient } from '../black-box/wire-client.js'

export const whisperEvent = 'client-note'
const tickMs = 5
/** Bytes that may wait in this process: the server reads as fast as it can, and no faster. */
const waitingBytesMax = 1_048_576

/** What a scenario may be told to whisper. */
export interface Whispers {
  /** Each followed by `-0`, `-1` and so on. */
  readonly channels: string
  readonly channelCount: number
  readonly events: number
  readonly perSecond: number
  /** Length of each event's text beside its number. */
  readonly bytes?: number
}

/** Subscribes to the channels that whisper() uses. */
export async function enterChannels(client: WireClient, { channels, channelCount }: Whispers): Promise<void> {
  for (let index = 0; index < channelCount; index += 1) await client.subscribe(`${channels}-${index}`)
}

/** Resolves when all are written. */
export async function whisper(
  client: WireClient,
  { channels, channelCount, events, perSecond, bytes = 0 }: Whispers,
): Promise<void> {
  const text = 'x'.repeat(bytes)
  const startedAtMs = performance.now()
  let sent = 0
  while (sent < events) {
    const due = Math.min(events, Math.floor(((performance.now() - startedAtMs) * perSecond) / 1000))
    const frames: Buffer[] = []
    for (; sent < due; sent += 1) {
      const channel = `${channels}-${sent % channelCount}`
      frames.push(
        clientFrame(opcodes.text, JSON.stringify({ event: whisperEvent, channel, data: { number: sent, text } })),
      )
    }
    client.socket.write(Buffer.concat(frames))
    await sleep(tickMs)
    await until('the server reads', () => client.socket.writableLength < waitingBytesMax, 10_000)
  }
  await until('the server reads', () => client.socket.writableLength === 0, 10_000)
}
