import { describe, expect, it } from 'vitest'
import { Attacker } from './attacker.js'
import { badFrames, type BadFrame, type FrameAnswer } from './bad-frames.js'
import { besideInnocent } from './beside-innocent.js'
import { credentials } from './hostile-server.js'

const { server, itReceivedEverything } = besideInnocent()

describe(`${badFrames.length} bad frames, each answered as the protocol says, beside an innocent connection (D7)`, () => {
  it('has no case twice', () => {
    const names = badFrames.map((bad) => bad.name)
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([])
  })

  it.each(badFrames)('$name', async (bad) => {
    const attacker = await Attacker.session(server().port, credentials)
    for (const channel of bad.after ?? []) await subscribe(attacker, channel)
    const bytes = bad.bytes({
      socketId: attacker.socketId,
      channelAuth: (channel, channelData) => attacker.channelAuth(channel, channelData),
      userAuth: (userData) => attacker.userAuth(userData),
    })
    if (typeof bytes === 'string') attacker.sendText(bytes)
    else attacker.write(bytes)
    await expectAnswer(attacker, bad)
    attacker.vanish()
  })

  itReceivedEverything(50)
})

async function subscribe(attacker: Attacker, channel: string): Promise<void> {
  const auth = channel.startsWith('private-') ? attacker.channelAuth(channel) : ''
  attacker.sendText(JSON.stringify({ event: 'pusher:subscribe', data: { channel, auth } }))
  const texts = await attacker.settled()
  if (texts?.length !== 1 || !texts[0]?.includes('subscription_succeeded'))
    throw new Error(`not subscribed: ${texts?.join() ?? 'closed'}`)
}

/** The whole answer, and a connection that is still open unless the answer is its close. */
async function expectAnswer(attacker: Attacker, { answer }: BadFrame): Promise<void> {
  const texts = await attacker.settled()
  if (answer.kind === 'close') {
    expect(texts, 'still open').toBeUndefined()
    await attacker.waitForEnd()
    expect(answer.codes).toContain(attacker.closeCode ?? 1006)
    expect(attacker.texts.map(messageOf)).toEqual(
      answer.error === undefined ? [] : [expect.stringMatching(answer.error)],
    )
    return
  }
  if (texts === undefined)
    throw new Error(`closed with ${attacker.closeCode ?? 'no close frame'} ${attacker.closeReason}`)
  expect(texts.map(shapeOf)).toEqual(shapesOf(answer))
}

function messageOf(text: string): unknown {
  return (JSON.parse(text) as { data: { message: unknown } }).data.message
}

interface Frame {
  readonly event: string
  readonly data?: unknown
}

/** A frame as the answers describe them: errors by code and message, refusals decoded, everything else with its data. */
function shapeOf(text: string): unknown {
  const { event, data } = JSON.parse(text) as Frame
  return { event, data: event === 'pusher:subscription_error' ? (JSON.parse(String(data)) as unknown) : data }
}

function shapesOf(answer: Exclude<FrameAnswer, { kind: 'close' }>): unknown[] {
  switch (answer.kind) {
    case 'nothing':
      return []
    case 'error':
      return [errorShape(answer.code, answer.message)]
    case 'refused': {
      const { type, status, message } = answer
      const data = { type, error: expect.stringMatching(message) as unknown, status }
      return [{ event: 'pusher:subscription_error', data }, errorShape(null, message)]
    }
    case 'events': {
      const data: unknown = answer.data === undefined ? expect.any(String) : expect.stringMatching(answer.data)
      return answer.names.map((event) => ({ event, data }))
    }
  }
}

function errorShape(code: number | null, message: RegExp): unknown {
  return { event: 'pusher:error', data: { code, message: expect.stringMatching(message) as unknown } }
}
