import { describe, expect, it } from 'vitest'
import { Systemd } from '../../../src/cli/systemd.js'
import { RecordingLogger } from '../../fakes/recording-logger.js'

/** @param answers what each run of the program ends with, in turn */
function systemd(environment: Readonly<Record<string, string | undefined>>, answers: (Error | undefined)[] = []) {
  const logger = new RecordingLogger()
  const runs: string[] = []
  let running = 0
  const notices = new Systemd({
    environment,
    logger,
    async run(program, argument) {
      running += 1
      expect(running).toBe(1)
      await Promise.resolve()
      running -= 1
      runs.push(`${program} ${argument}`)
      const answer = answers.shift()
      if (answer !== undefined) throw answer
    },
  })
  return { notices, logger, runs }
}

const socket = { NOTIFY_SOCKET: '/run/systemd/notify' }

describe('systemd', () => {
  it.each([{}, { NOTIFY_SOCKET: '' }, { NOTIFY_SOCKET: undefined }])('is told nothing with %o', async (environment) => {
    const { notices, runs } = systemd(environment)
    await notices.tell('READY=1')
    expect(runs).toEqual([])
  })

  it('is told each state after the one before', async () => {
    const { notices, runs, logger } = systemd(socket)
    const ready = notices.tell('READY=1')
    await notices.tell('STOPPING=1')
    await ready
    expect(runs).toEqual(['systemd-notify READY=1', 'systemd-notify STOPPING=1'])
    expect(logger.lines).toEqual([])
  })

  it('is given up after the first failure, with one warning', async () => {
    const { notices, runs, logger } = systemd(socket, [new Error('no such program')])
    await notices.tell('READY=1')
    await notices.tell('STOPPING=1')
    expect(runs).toHaveLength(1)
    expect(logger.lines).toEqual([
      {
        level: 'warn',
        fields: {},
        message: 'systemd could not be told READY=1 (no such program): with Type=notify it waits for that',
      },
    ])
  })
})
