import { beforeEach, describe, expect, it } from 'vitest'
import type { WorkerState } from '../../../src/workers/messages.js'
import { Supervisor } from '../../../src/workers/supervisor.js'
import { FakeForks } from '../../fakes/fake-fork.js'
import { ManualClock } from '../../fakes/manual-clock.js'
import { RecordingLogger } from '../../fakes/recording-logger.js'

const state: WorkerState = { ready: true, reason: undefined, degraded: undefined, residentBytes: 1 }

describe('Supervisor', () => {
  let clock: ManualClock
  let forks: FakeForks
  let logger: RecordingLogger
  let ended: number[]
  let supervisor: Supervisor

  beforeEach(() => {
    clock = new ManualClock()
    forks = new FakeForks()
    logger = new RecordingLogger()
    ended = []
    const parts = {
      fork: forks.fork,
      clock,
      logger,
      start: () => 'begin',
      onEnded: (index: number) => void ended.push(index),
    }
    supervisor = new Supervisor(2, parts)
  })

  /** Both serve; what they were told so far is forgotten. */
  async function serving(): Promise<void> {
    const started = supervisor.start()
    for (const process of forks.processes) process.says({ type: 'serving' })
    await started
    for (const process of forks.processes) process.received.length = 0
  }

  /** Lets whole lives pass in which every question is answered. */
  function pass(ms: number): void {
    for (let passed = 0; passed < ms; passed += 1000) {
      clock.advance(1000)
      for (const process of forks.processes) if (!process.ended) process.answer(state)
    }
  }

  it('starts all at once with what they need, and resolves when all serve', async () => {
    let isStarted = false
    const started = supervisor.start().then(() => (isStarted = true))
    expect(forks.processes.map(({ index }) => index)).toEqual([0, 1])
    expect(forks.at(0).received).toEqual([{ type: 'start', start: 'begin' }])
    expect(supervisor.counts()).toEqual({ starting: 2, serving: 0, waiting: 0 })
    forks.at(0).says({ type: 'serving' })
    await Promise.resolve()
    expect(isStarted).toBe(false)
    forks.at(1).says({ type: 'serving' })
    await started
    expect(supervisor.counts()).toEqual({ starting: 0, serving: 2, waiting: 0 })
    expect(logger.lines).toEqual([])
  })

  it('a worker that cannot start ends the whole start with its sentence, and the others', async () => {
    const started = supervisor.start()
    forks.at(0).says({ type: 'serving' })
    forks.at(1).says({ type: 'failed', reason: 'Cannot listen on …' })
    forks.at(1).end(1)
    await expect(started).rejects.toThrow('Cannot listen on …')
    expect(forks.at(0).ended).toBe(true)
    clock.advance(60_000)
    expect(forks.processes).toHaveLength(2)
    expect([clock.timers, logger.lines]).toEqual([0, []])
  })

  it.each([
    [null, 'SIGSEGV', 'Worker 1 ended with SIGSEGV before it served'],
    [3, null, 'Worker 1 ended with exit code 3 before it served'],
    [null, null, 'Worker 1 ended with no start before it served'],
  ])(
    'a worker that ends without a word (%s, %s) ends the start with a sentence of ours',
    async (code, signal, text) => {
      const started = supervisor.start()
      forks.at(1).end(code, signal)
      await expect(started).rejects.toThrow(text)
    },
  )

  it('a worker that ends is replaced at once', async () => {
    await serving()
    pass(6000)
    forks.at(1).end(null, 'SIGKILL')
    expect(ended).toEqual([1])
    expect([forks.at(2).index, forks.at(2).types]).toEqual([1, ['start']])
    expect(supervisor.counts()).toEqual({ starting: 1, serving: 1, waiting: 0 })
    const fields = { worker: 1, pid: 1001, exit_code: null, signal: 'SIGKILL', lived_ms: 6000, restart_in_ms: 0 }
    expect(logger.at('error')).toEqual([{ level: 'error', fields, message: 'a worker ended unexpectedly' }])
    clock.advance(300)
    forks.at(2).says({ type: 'serving' })
    expect(logger.lines.at(-1)).toEqual({
      level: 'info',
      fields: { worker: 1, pid: 1002, start_ms: 300 },
      message: 'a worker is replaced',
    })
    expect([supervisor.counts().serving, supervisor.restarts()]).toEqual([2, 1])
  })

  it('short lives in a row: the first is replaced at once, then after 1, 2, 4 … 30 s; a long life makes good', async () => {
    await serving()
    const delays: number[] = []
    for (let life = 0; life < 8; life += 1) {
      clock.advance(100)
      const starts = forks.processes.length
      forks.processes.findLast(({ index }) => index === 0)?.end(1)
      let waitedMs = 0
      while (forks.processes.length === starts) {
        clock.advance(500)
        forks.at(1).answer(state)
        waitedMs += 500
      }
      delays.push(waitedMs)
    }
    expect(delays).toEqual([0, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000])
    pass(5000)
    forks.processes.findLast(({ index }) => index === 0)?.end(1)
    expect(supervisor.counts().waiting).toBe(0)
  })

  it('a replacement that fails says why, and the others serve on', async () => {
    await serving()
    forks.at(0).end(null, 'SIGKILL')
    forks.at(2).says({ type: 'failed', reason: 'Cannot listen on …' })
    forks.at(2).end(1)
    expect(logger.at('error').at(-1)?.message).toBe('a worker ended unexpectedly: Cannot listen on …')
    expect(supervisor.counts()).toEqual({ starting: 0, serving: 1, waiting: 1 })
  })

  it('a worker that was drained alone is replaced without an error', async () => {
    await serving()
    forks.at(0).end(0)
    expect(logger.lines.map(({ level, message }) => [level, message])).toEqual([['info', 'a worker ended']])
    expect(forks.processes).toHaveLength(3)
  })

  it('drains all at once, and is done when all have ended', async () => {
    await serving()
    let isDrained = false
    const drained = supervisor.drain().then(() => (isDrained = true))
    expect(forks.processes.map(({ types }) => types)).toEqual([['drain'], ['drain']])
    forks.at(0).end(0)
    await Promise.resolve()
    expect(isDrained).toBe(false)
    forks.at(1).end(0)
    await drained
    expect([forks.processes.length, clock.timers, logger.lines]).toEqual([2, 0, []])
  })

  it('a drain ends what does not serve yet, and starts nothing', async () => {
    await serving()
    forks.at(0).end(1)
    forks.at(2).end(1)
    forks.at(1).end(1)
    expect(supervisor.counts()).toEqual({ starting: 1, serving: 0, waiting: 1 })
    await supervisor.drain()
    clock.advance(60_000)
    expect([forks.at(3).ended, forks.processes.length, clock.timers]).toEqual([true, 4, 0])
  })

  it('a worker that ends otherwise during the drain makes it fail', async () => {
    await serving()
    const drained = supervisor.drain()
    forks.at(0).end(0)
    forks.at(1).end(null, 'SIGSEGV')
    await expect(drained).rejects.toThrow('not all workers ended properly')
    expect(logger.at('error')).toMatchObject([{ fields: { worker: 1, signal: 'SIGSEGV' } }])
  })

  it('kill ends all, also those that wait for their next start', async () => {
    await serving()
    forks.at(0).end(1)
    forks.at(2).end(1)
    supervisor.kill()
    clock.advance(60_000)
    expect([forks.at(1).ended, forks.processes.length, clock.timers]).toEqual([true, 3, 0])
  })

  it('questions: who answers within a second counts, each answer is told at once', async () => {
    await serving()
    const told: number[] = []
    const asked = supervisor.ask('metrics', ({ index }) => void told.push(index))
    forks.at(1).answer('[]')
    await Promise.resolve()
    await Promise.resolve()
    expect(told).toEqual([1])
    clock.advance(1000)
    expect(await asked).toEqual([{ index: 1, answer: '[]' }])
    forks.at(0).answer('[]')
    expect(told).toEqual([1])
  })

  it('a question to a worker that ends is over at once', async () => {
    await serving()
    const asked = supervisor.ask('state')
    forks.at(0).answer(state)
    forks.at(1).end(1)
    expect(await asked).toEqual([{ index: 0, answer: state }])
  })

  it('no more than 64 questions wait for one worker', async () => {
    await serving()
    const asked = Array.from({ length: 70 }, () => supervisor.ask('state'))
    expect(forks.at(0).received).toHaveLength(64)
    for (const process of forks.processes) process.answer(state)
    expect((await Promise.all(asked)).filter((answered) => answered.length === 2)).toHaveLength(64)
  })

  it('a worker that hangs for half a minute is killed and replaced', async () => {
    await serving()
    for (let passed = 0; passed < 30_000; passed += 1000) {
      clock.advance(1000)
      forks.at(0).answer(state)
    }
    expect(forks.at(1).ended).toBe(false)
    clock.advance(5000)
    expect([forks.at(0).ended, forks.at(1).ended, forks.processes.length]).toEqual([false, true, 3])
    expect(logger.at('error').map(({ message }) => message)).toEqual([
      'a worker hangs and is killed',
      'a worker ended unexpectedly',
    ])
  })

  it.each([undefined, null, 'serving', {}, { type: 'answer', id: 1, answer: 7 }, { type: 'failed' }])(
    'takes no notice of %j',
    async (message) => {
      const started = supervisor.start()
      forks.at(0).saysAnything(message)
      expect(supervisor.counts().starting).toBe(2)
      for (const process of forks.processes) process.says({ type: 'serving' })
      await started
    },
  )

  it('tells apps to those that serve and those that start', async () => {
    await serving()
    forks.at(0).end(1)
    supervisor.tell({ type: 'apps', apps: [] })
    expect([forks.at(1).types, forks.at(2).types]).toEqual([['apps'], ['start', 'apps']])
  })
})
