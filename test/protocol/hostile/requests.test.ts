import { describe, expect, it } from 'vitest'
import { answerOf, Attacker } from './attacker.js'
import { badRequests, type BadRequest, type RequestAnswer } from './bad-requests.js'
import { besideInnocent } from './beside-innocent.js'
import { credentials } from './hostile-server.js'

const { server, itReceivedEverything } = besideInnocent()

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

  itReceivedEverything(50)
})

type Kept = Extract<RequestAnswer, { kind: 'answer' }>

async function expectKeptAlive(bad: BadRequest, expected: Kept): Promise<void> {
  const [{ status, body, head }, attacker] = await answerOf(server().port, credentials, bad.bytes())
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
  const attacker = await Attacker.connect(server().port, credentials)
  attacker.write(bad.bytes())
  if (expected.kind === 'silence') {
    // Another connection's answer proves that the server has had its turn.
    await (await fetch(`${server().url}/live`)).text()
    expect({ ended: attacker.ended, unread: attacker.unread }).toEqual({ ended: false, unread: '' })
  } else {
    const first = await attacker.answer().catch(() => undefined)
    if (first !== undefined) expect(expected.statuses).toContain(first.status)
    await attacker.waitForEnd()
    // Nothing behind the fault was read as a second request.
    expect(attacker.unread).not.toMatch(/HTTP\/1\.1 200/)
  }
  attacker.vanish()
}
