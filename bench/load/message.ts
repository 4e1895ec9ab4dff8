/** The payload of a published test event: which publisher, which of its messages, and padding up to an exact size. */

/** Name of every event published over REST. */
export const eventName = 'bench-event'

/** @param bytes exact length of the result, if it is more than the frame of the two numbers needs */
export function eventData(publisher: number, sequence: number, bytes: number): string {
  const head = `{"publisher":${publisher},"sequence":${sequence},"text":"`
  return `${head}${'x'.repeat(Math.max(0, bytes - head.length - 2))}"}`
}

/** What eventData() put in; undefined of any other text. */
export function readEventData(data: string): { publisher: number; sequence: number } | undefined {
  const match = /^\{"publisher":(\d+),"sequence":(\d+),"text":"x*"\}$/.exec(data)
  return match === null ? undefined : { publisher: Number(match[1]), sequence: Number(match[2]) }
}

/** A Pusher message as it arrives: `data` as text, whichever way it was encoded. */
export interface ServerMessage {
  readonly event: string
  readonly channel: string | undefined
  readonly data: string
}

/** Undefined when the text is not a Pusher message. */
export function readServerMessage(text: string): ServerMessage | undefined {
  let message: unknown
  try {
    message = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof message !== 'object' || message === null || !('event' in message)) return undefined
  const { event } = message
  const channel = 'channel' in message && typeof message.channel === 'string' ? message.channel : undefined
  const data = 'data' in message ? message.data : ''
  if (typeof event !== 'string') return undefined
  return { event, channel, data: typeof data === 'string' ? data : JSON.stringify(data) }
}
