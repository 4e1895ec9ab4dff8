import { describe, expect, it } from 'vitest'
import { linesPerPeriod, messagesMax, samplePeriodMs } from '../../../src/observability/log-sampling.js'
import { type ClosableLogger, createLogger, type LoggerOptions } from '../../../src/observability/logger.js'
import { Redactor } from '../../../src/observability/redact.js'
import { ManualClock } from '../../fakes/manual-clock.js'

interface Setup {
  readonly log: ClosableLogger
  readonly clock: ManualClock
  readonly redactor: Redactor
  readonly written: string[]
  records(): Record<string, unknown>[]
}

function setup(options: Partial<LoggerOptions> = {}): Setup {
  const written: string[] = []
  const clock = new ManualClock(Date.UTC(2024, 0, 2, 3, 4, 5, 678))
  const redactor = new Redactor()
  const destination = { write: (line: string) => void written.push(line) }
  const log = createLogger({ level: 'debug', format: 'json', node: 'n1', clock, redactor, destination, ...options })
  return { log, clock, redactor, written, records: () => written.map(parse) }
}

function parse(line: string): Record<string, unknown> {
  const value: unknown = JSON.parse(line)
  if (typeof value !== 'object' || value === null) throw new Error(`no record: ${line}`)
  return { ...value }
}

describe('the JSON log', () => {
  it('writes one line with time, level, node, fields and msg', () => {
    const { log, written, records } = setup()
    log.info({ app_id: '1', socket_id: '1.2', channel: 'private-x', code: 4009 }, 'refused')
    expect(written).toHaveLength(1)
    expect(written[0]).toMatch(/^\{[^\n]*\}\n$/)
    expect(records()[0]).toEqual({
      level: 'info',
      time: '2024-01-02T03:04:05.678Z',
      node: 'n1',
      app_id: '1',
      socket_id: '1.2',
      channel: 'private-x',
      code: 4009,
      msg: 'refused',
    })
  })

  it('says on every line which of several processes it is of', () => {
    const { log, records } = setup({ worker: 0 })
    log.info({}, 'm')
    expect(records()[0]).toMatchObject({ node: 'n1', worker: 0 })
  })

  it('stays one line whatever stands in a field or a message', () => {
    const { log, written, records } = setup()
    log.warn({ channel: 'a\nb\r"\\\u0000\u2028{}' }, 'x\n{"level":"error"} %s %d')
    expect(written[0]?.trimEnd()).not.toMatch(/[\n\r]/)
    expect(records()[0]).toMatchObject({
      channel: 'a\nb\r"\\\u0000\u2028{}',
      msg: 'x\n{"level":"error"} %s %d',
      level: 'warn',
    })
  })

  it('lets no field take the place of time, level, node or msg', () => {
    const { log, written } = setup()
    log.info({ time: 1, level: 'x', node: 'y', msg: 'z' }, 'real')
    expect(written[0]?.match(/"level":/g)).toHaveLength(1)
    expect(parse(written[0] ?? '')).toMatchObject({
      level: 'info',
      level_: 'x',
      node: 'n1',
      node_: 'y',
      msg: 'real',
      msg_: 'z',
    })
  })

  it('writes nothing below its level', () => {
    const { log, records } = setup({ level: 'warn' })
    log.debug({}, 'd')
    log.info({}, 'i')
    log.warn({}, 'w')
    log.error({}, 'e')
    expect(records().map(({ level }) => level)).toEqual(['warn', 'error'])
    const silent = setup({ level: 'silent' })
    silent.log.error({}, 'e')
    expect(silent.written).toEqual([])
  })

  it('never shows a secret, a signature, a token or a payload', () => {
    for (const format of ['json', 'pretty'] as const) {
      const { log, redactor, written } = setup({ format })
      redactor.addSecret('hunter2-the-secret')
      const error = new Error('login with hunter2-the-secret failed', { cause: new Error('hunter2-the-secret') })
      log.error({ err: Object.assign(error, { auth: 'hunter2' }) }, 'failed: hunter2-the-secret')
      log.warn({ data: 'hunter2', nested: { channel_data: '{"id":"hunter2"}', list: [{ auth: 'k:hunter2' }] } }, 'odd')
      log.info({ url: '/apps/1/events?auth_signature=hunter2', 'hunter2-the-secret': 1 }, 'request')
      log.debug(
        { method: 'GET', headers: { authorization: 'hunter2' }, socket: { token: 'hunter2' } },
        'like a request',
      )
      expect(written).toHaveLength(4)
      expect(written.join('')).not.toContain('hunter2')
    }
  })

  it('survives fields that cannot be read', () => {
    const { log, records } = setup()
    const cyclic: Record<string, unknown> = {}
    cyclic['self'] = cyclic
    const trap = {
      get err(): unknown {
        throw new Error('trap')
      },
    }
    log.error({ cyclic, big: 1n }, 'cyclic')
    log.error(trap, 'trap')
    expect(records().map(({ msg }) => msg)).toEqual(['cyclic', 'trap'])
    expect(records()[1]).toMatchObject({ err: '[unreadable]' })
  })
})

describe('sampling', () => {
  it('writes the first warnings of a message in a minute, then one line with the count', () => {
    const { log, clock, records } = setup()
    for (let index = 0; index < 1000; index += 1) log.warn({ channel: `c${index}` }, 'bad frame')
    log.warn({}, 'other warning')
    expect(records()).toHaveLength(linesPerPeriod + 1)
    clock.advance(samplePeriodMs)
    expect(records().slice(linesPerPeriod + 1)).toMatchObject([
      { level: 'warn', msg: 'repeated: bad frame', suppressed: 1000 - linesPerPeriod, period_ms: samplePeriodMs },
    ])
    log.warn({}, 'bad frame')
    expect(records()).toHaveLength(linesPerPeriod + 3)
  })

  it('samples errors apart from warnings, and never what is below', () => {
    const { log, records } = setup()
    for (let index = 0; index < 50; index += 1) {
      log.error({}, 'same text')
      log.warn({}, 'same text')
      log.info({}, 'same text')
      log.debug({}, 'same text')
    }
    const count = (level: string): number => records().filter((record) => record['level'] === level).length
    expect(['error', 'warn', 'info', 'debug'].map(count)).toEqual([linesPerPeriod, linesPerPeriod, 50, 50])
  })

  it('runs no timer while there is nothing to report, and none after close', () => {
    const { log, clock, records } = setup()
    log.info({}, 'quiet')
    expect(clock.timers).toBe(0)
    for (let index = 0; index < linesPerPeriod + 3; index += 1) log.warn({}, 'noise')
    expect(clock.timers).toBe(1)
    clock.advance(samplePeriodMs)
    expect(clock.timers).toBe(0)
    for (let index = 0; index < linesPerPeriod + 3; index += 1) log.warn({}, 'noise')
    log.close()
    expect(records().at(-1)).toMatchObject({ msg: 'repeated: noise', suppressed: 3 })
    log.warn({}, 'after close')
    expect(records().at(-1)).toMatchObject({ msg: 'after close' })
    expect(clock.timers).toBe(0)
  })

  it('stays bounded when messages differ without end', () => {
    const { log, clock, records } = setup()
    for (let index = 0; index < 20_000; index += 1) log.warn({}, `message ${index}`)
    expect(records().length).toBeLessThanOrEqual(messagesMax + linesPerPeriod)
    clock.advance(samplePeriodMs)
    expect(records().at(-1)).toMatchObject({ msg: 'repeated: other messages' })
    const written = records().length
    const { suppressed } = records().at(-1) ?? {}
    expect(Number(suppressed) + written - 1).toBe(20_000)
  })
})

describe('the pretty log', () => {
  it('shows time, level, message, fields and the stack', () => {
    const { log, written } = setup({ format: 'pretty' })
    log.info({ app_id: '1', code: 4001, more: { a: 1 } }, 'hello')
    expect(written[0]).toMatch(/^\d\d:\d\d:05\.678 INFO {2}hello app_id=1 code=4001 more=\{"a":1\}\n$/)
    log.error({ err: new RangeError('too far', { cause: new Error('deep') }) }, 'broke')
    expect(written[1]).toMatch(/^\d\d:\d\d:05\.678 ERROR broke\n {6}RangeError: too far\n {6} {4}at /)
    expect(written[1]).toContain('      cause: {"type":"Error"')
  })

  it('escapes what would steer a terminal', () => {
    const { log, written } = setup({ format: 'pretty' })
    log.warn({ channel: '\u001b[2Jgone\nnext\u202e' }, 'bell \u0007')
    // eslint-disable-next-line no-control-regex -- none may be there
    expect(written[0]?.slice(0, -1)).not.toMatch(/[\u0000-\u001f\u202e]/)
    expect(written[0]).toContain('channel=\\u001b[2Jgone\\u000anext\\u202e')
  })

  it('uses colours only when asked', () => {
    const { log, written } = setup({ format: 'pretty', colour: true })
    log.warn({}, 'careful')
    expect(written[0]).toContain('\u001b[33mWARN \u001b[0m careful')
  })
})
