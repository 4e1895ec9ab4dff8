import { describe, expect, it } from 'vitest'
import { eventually } from '../../harness/eventually.js'
import { answerOf, Attacker, upgradeRequest } from './attacker.js'
import { besideInnocent } from './beside-innocent.js'
import { bodyBytesMax, credentials } from './hostile-server.js'
import { signedRequest } from './signed-request.js'
import { encodeFrame, opcodes } from './wire-frame.js'

/** Opened first, because the library gives an unfinished head ten seconds. */
let silent: Attacker[]

const { server, itReceivedEverything } = besideInnocent(async ({ port }) => {
  silent = await Promise.all([
    half(port, ''),
    half(port, 'GET /live'),
    half(port, 'POST /apps/3/events HTTP/1.1\r\nHost: x\r\n'),
    half(port, 'GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n'),
    half(port, signedRequest({ framing: 'Content-Length: 50\r\n', sent: 'ten bytes.' })),
  ])
})

describe('much of the same, beside an innocent connection (D7)', () => {
  it('300 malformed frames: 100 answers, the rest dropped with one notice a second, and the connection stays (1.5)', async () => {
    const attacker = await session()
    attacker.write(Buffer.concat(Array.from({ length: 300 }, () => encodeFrame({ payload: '[]' }))))
    const texts = (await attacker.settled()) ?? []
    const notices = texts.filter((text) => text.includes('rate limit'))
    expect(texts.length - notices.length).toBeGreaterThanOrEqual(100)
    expect(texts.length - notices.length).toBeLessThan(150)
    // The second may turn in the middle of it.
    expect([1, 2]).toContain(notices.length)
    expect(JSON.parse(notices[0] ?? '{}')).toEqual({
      event: 'pusher:error',
      data: { code: 4301, message: 'Message rejected due to rate limit: at most 100 per second are allowed' },
    })
    attacker.vanish()
  })

  it('900 subscribes and 900 unsubscribes at once: no message limit counts them, each subscribe is answered', async () => {
    const attacker = await session()
    const all = (event: string) =>
      Array.from({ length: 900 }, (_, at) =>
        encodeFrame({ payload: JSON.stringify({ event, data: { channel: `c${at}` } }) }),
      )
    attacker.write(Buffer.concat(all('pusher:subscribe')))
    const texts = (await attacker.settled()) ?? []
    expect(texts.filter((text) => text.includes('subscription_succeeded'))).toHaveLength(900)
    attacker.write(Buffer.concat(all('pusher:unsubscribe')))
    expect(await attacker.settled()).toEqual([])
    attacker.vanish()
  })

  it('10 000 pings, both kinds: each is answered and the connection stays', async () => {
    const attacker = await session()
    const ping = encodeFrame({ payload: '{"event":"pusher:ping","data":{}}' })
    attacker.write(Buffer.concat(Array.from({ length: 10_000 }, () => ping)))
    expect(await attacker.settled()).toHaveLength(10_000)
    const before = attacker.pongs
    attacker.write(
      Buffer.concat(Array.from({ length: 10_000 }, () => encodeFrame({ opcode: opcodes.ping, payload: 'x' }))),
    )
    await attacker.settled()
    await eventually('all pongs', () => attacker.pongs >= before + 10_000)
    attacker.vanish()
  })

  it('pings whose answers nobody reads: that connection is ended, not buffered without end', async () => {
    const attacker = await session()
    attacker.pause()
    const pings = Buffer.concat(
      Array.from({ length: 20_000 }, () => encodeFrame({ payload: '{"event":"pusher:ping"}' })),
    )
    for (let round = 0; round < 10; round += 1) attacker.write(pings)
    await eventually(
      'its count as a slow consumer',
      async () => /slow_consumer_closed_total\S* [1-9]/.test(await metrics()),
      10_000,
    )
    attacker.vanish()
  })

  it('200 connections that vanish, each in the middle of something else', async () => {
    const frame = encodeFrame({ payload: '{"event":"pusher:subscribe","data":{"channel":"arena"}}' })
    const head = Buffer.from(upgradeRequest(`/app/${credentials.key}?protocol=7`))
    const bytes = Buffer.concat([head, frame, frame, encodeFrame({ payload: 'x'.repeat(1000), fin: false })])
    for (let at = 0; at < 200; at += 1) {
      const attacker = await Attacker.connect(server().port, credentials)
      attacker.write(bytes.subarray(0, Math.floor((bytes.length * at) / 200)))
      if (at % 3 === 0) attacker.finishWriting()
      else if (at % 3 === 1) await new Promise((resolve) => setImmediate(resolve))
      attacker.vanish()
    }
    await eventually('only the innocent connection is left', async () =>
      /^belfry_connected\{[^}]*app_id="3"[^}]*\} 1$/m.test(await metrics()),
    )
  })

  it('50 bodies beyond the limit, streamed at once and never whole: 413 without buffering', async () => {
    const before = server().rssBytes()
    const body = Buffer.alloc(2 * bodyBytesMax, 0x20)
    const chunk = Buffer.concat([Buffer.from(`${(2 * body.length).toString(16)}\r\n`), body])
    const bytes = signedRequest({ framing: 'Transfer-Encoding: chunked\r\n', sent: chunk })
    await Promise.all(
      Array.from({ length: 50 }, async () => {
        const [answer, attacker] = await answerOf(server().port, credentials, bytes)
        expect(answer.status).toBe(413)
        await attacker.waitForEnd()
      }),
    )
    expect(server().rssBytes() - before).toBeLessThan(100 * 1024 * 1024)
  })

  it('a body of 20 MB for which nobody signed is answered before it has come, and is not kept', async () => {
    const before = server().rssBytes()
    const head = 'POST /apps/3/events HTTP/1.1\r\nHost: x\r\nContent-Length: 20971520\r\n\r\n'
    const [answer, attacker] = await answerOf(server().port, credentials, head)
    expect(answer.status).toBe(401)
    attacker.write(Buffer.alloc(20_971_520, 0x20))
    await fetch(`${server().url}/live`)
    expect(server().rssBytes() - before).toBeLessThan(15 * 1024 * 1024)
    attacker.vanish()
  })

  it('unmasked frames: whatever they become, the connection is ended or told so', async () => {
    for (const payload of ['{"event":"pusher:ping"}', 'x'.repeat(200), '']) {
      const attacker = await session()
      attacker.write(encodeFrame({ payload, masked: false }))
      attacker.finishWriting()
      await attacker.waitForEnd()
      expect(attacker.texts.filter((text) => !text.startsWith('{"event":"pusher:error"'))).toEqual([])
    }
  })

  it('requests that never become whole are ended within 15 seconds', async () => {
    await Promise.all(silent.map((attacker) => attacker.waitForEnd(15_000)))
    expect(silent.map((attacker) => attacker.unread)).toEqual(silent.map(() => ''))
  })

  itReceivedEverything(50)

  it('and the log stayed small', () => {
    expect(server().logBytes).toBeLessThan(100_000)
  })
})

function session(): Promise<Attacker> {
  return Attacker.session(server().port, credentials)
}

async function half(port: number, bytes: string | Buffer): Promise<Attacker> {
  const attacker = await Attacker.connect(port, credentials)
  attacker.write(bytes)
  return attacker
}

async function metrics(): Promise<string> {
  return (await fetch(`${server().metricsUrl}/metrics`)).text()
}
