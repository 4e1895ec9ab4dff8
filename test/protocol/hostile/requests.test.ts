import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { ServerProcess } from '../../harness/server-process.js'
import { answerOf, Attacker } from './attacker.js'
import { badRequests, type BadRequest, type RequestAnswer } from './bad-requests.js'
import { credentials, startHostileServer, targetOf } from './hostile-server.js'
import { Innocent } from './innocent.js'

let server: ServerProcess
let innocent: Innocent

beforeAll(async () => {
  server = await startHostileServer()
  innocent = await Innocent.start(targetOf(server), 5)
})

afterEach(() => {
  expect(server.exit).toBeUndefined()
  expect(server.at('error')).toEqual([])
  expect(innocent.problems).toEqual([])
})

afterAll(async () => {
  await server.stop()
})

describe(`${badRequests.length} bad requests, each answered as the API says, beside an innocent connection (D7)`, () => {
  it('has no case twice', () => {
    const names = badRequests.map((bad) => bad.name)
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([])
  })

  it.each(badRequests)('$name', async (bad) => {
    const { answer } = bad
    if (answer.kind === 'answer') await expectKeptAlive(bad, answer)
    else await expectNoMore(bad, answer)
  })

  it('and the innocent connection received every event of the whole time, in order', async () => {
    const report = await innocent.finish()
    expect(report.published).toBeGreaterThan(50)
  })
})

type Kept = Extract<RequestAnswer, { kind: 'answer' }>

async function expectKeptAlive(bad: BadRequest, expected: Kept): Promise<void> {
  const [{ status, body, head }, attacker] = await answerOf(server.port, credentials, bad.bytes)
  expect({ status, body }).toEqual({
    status: expected.status,
    body: expect.stringMatching(expected.body ?? /(?:)/) as unknown,
  })
  // What was sent may not have become a header of the answer.
  expect(head).not.toMatch(/set-cookie|^x:/im)
  attacker.write('GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n')
  expect((await attacker.answer()).status).toBe(200)
  attacker.vanish()
}

async function expectNoMore(bad: BadRequest, expected: Exclude<RequestAnswer, Kept>): Promise<void> {
  const attacker = await Attacker.connect(server.port, credentials)
  attacker.write(bad.bytes())
  if (expected.kind === 'silence') {
    // Another connection's answer proves that the server has had its turn.
    await (await fetch(`${server.url}/live`)).text()
    expect({ ended: attacker.ended, unread: attacker.unread }).toEqual({ ended: false, unread: '' })
  } else {
    const first = await attacker.answer().catch(() => undefined)
    if (first?.status === 503) {
      // Shed, as any request may be (4.11): what it would have been answered shows the next time.
      attacker.vanish()
      await new Promise((resolve) => setTimeout(resolve, 50))
      return expectNoMore(bad, expected)
    }
    if (first !== undefined) expect(expected.statuses).toContain(first.status)
    await attacker.waitForEnd()
    // Nothing behind the fault was read as a second request.
    expect(attacker.unread).not.toMatch(/HTTP\/1\.1 200/)
  }
  attacker.vanish()
}
