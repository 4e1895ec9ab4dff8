import { EventEmitter } from 'node:events'
import { describe, expect, it } from 'vitest'
import { untilStopped } from '../../../src/cli/lifecycle.js'
import { RecordingLogger } from '../../fakes/recording-logger.js'

/** A server whose drain ends when the test says so. */
function running() {
  const events = new EventEmitter()
  const logger = new RecordingLogger()
  let settle: { resolve: () => void; reject: (error: Error) => void } = { resolve: () => {}, reject: () => {} }
  const drained = new Promise<void>((resolve, reject) => (settle = { resolve, reject }))
  let drains = 0
  let reloads = 0
  const exitCode = untilStopped({
    events,
    logger,
    drainAndStop: () => {
      drains++
      return drained
    },
    reload: async () => {
      reloads++
      if (reloads > 1) throw new Error('a bug')
    },
  })
  return { events, logger, drain: settle, exitCode, counts: () => ({ drains, reloads }) }
}

describe('a running server', () => {
  it.each(['SIGTERM', 'SIGINT'])('drains after %s and ends with 0', async (signal) => {
    const { events, drain, exitCode, counts } = running()
    events.emit(signal)
    drain.resolve()
    expect(await exitCode).toBe(0)
    expect(counts().drains).toBe(1)
    expect(events.eventNames()).toEqual([])
  })

  it.each([
    ['SIGTERM', 'SIGTERM', 143],
    ['SIGTERM', 'SIGINT', 130],
    ['SIGINT', 'SIGINT', 130],
  ])('ends at once when %s is followed by %s', async (first, second, code) => {
    const { events, exitCode, counts } = running()
    events.emit(first)
    events.emit(second)
    expect(await exitCode).toBe(code)
    expect(counts().drains).toBe(1)
  })

  it('ends with 1 when the drain fails', async () => {
    const { events, drain, exitCode, logger } = running()
    events.emit('SIGTERM')
    drain.reject(new Error('a bug'))
    expect(await exitCode).toBe(1)
    expect(logger.at('error')).toHaveLength(1)
  })

  it('reads again at SIGHUP and goes on; a bug in that ends it', async () => {
    const { events, exitCode, counts, logger } = running()
    events.emit('SIGHUP')
    await Promise.resolve()
    expect([counts().reloads, logger.lines]).toEqual([1, []])
    events.emit('SIGHUP')
    expect(await exitCode).toBe(1)
  })

  it.each(['uncaughtException', 'unhandledRejection'])('logs an %s and ends with 1', async (event) => {
    const { events, exitCode, logger, counts } = running()
    const error = new Error('a bug')
    events.emit(event, error)
    expect(await exitCode).toBe(1)
    expect(logger.at('error')).toEqual([
      { level: 'error', fields: { err: error }, message: 'unexpected error: ending' },
    ])
    expect(counts().drains).toBe(0)
  })
})
