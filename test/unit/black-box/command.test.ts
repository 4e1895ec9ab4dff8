/** What `--again` makes good (test/cluster, test/faults), and what it must not. */
import { afterEach, describe, expect, test, vi } from 'vitest'
import { playScenario } from '../../black-box/command.js'
import { countsLine, summary } from '../../black-box/results.js'
import { Run } from '../../black-box/run.js'

const holds = (run: Run) => run.inTime('answer after', 5, 10)
const late = (run: Run) => run.inTime('answer after', 15, 10)
const wrong = (run: Run) => run.equal('missing', 1, 0)
const throws = () => {
  throw new Error('the node has ended\nand more')
}
const both = (run: Run) => {
  late(run)
  wrong(run)
}

/** A scenario that goes like this, play by play; what was printed, and how often it was played. */
async function played(plays: readonly ((run: Run) => void | Promise<void>)[], again = true) {
  let count = 0
  const printed: string[] = []
  const runs = new Set<Run>()
  const scenario = {
    id: 'R0',
    title: 'a scenario',
    seconds: { fast: 1, normal: 1, long: 1 },
    run: async (run: Run) => {
      runs.add(run)
      await plays[count++]!(run)
    },
  }
  const result = await playScenario(scenario, { mode: 'fast', again }, (line) => printed.push(line))
  return { result, outcome: result.outcome, count, runs: runs.size, printed: printed.join('\n') }
}

afterEach(() => void vi.useRealTimers())

describe('a scenario with --again', () => {
  test('that holds is played once', async () => {
    expect(await played([holds, wrong])).toMatchObject({ outcome: 'passed', count: 1 })
  })

  test('that was only late, then holds, has passed', async () => {
    const { printed, ...rest } = await played([late, holds])
    expect(rest).toMatchObject({ outcome: 'passed', count: 2, runs: 2 })
    expect(printed).toMatch(/answer after {2}15 ms {2}≤ 10 ms {2}NOT\nR0 LATE, once more \(\d+\.\d s, fast\)/)
    expect(printed).toMatch(/answer after {2}5.0 ms {2}≤ 10 ms {2}ok\nR0 HOLDS \(/)
  })

  test('that is late twice has failed', async () => {
    const { printed, ...rest } = await played([late, late, holds])
    expect(rest).toMatchObject({ outcome: 'failed', count: 2 })
    expect(printed).toContain('R0 FAILS (')
  })

  test('that was late, and does not hold for another reason when played again, has failed', async () => {
    expect(await played([late, wrong])).toMatchObject({ outcome: 'failed', count: 2 })
    expect(await played([late, throws])).toMatchObject({ outcome: 'failed', count: 2 })
    expect(await played([late, (run) => void (run.skipped = 'no')])).toMatchObject({ outcome: 'failed', count: 2 })
  })

  test.each([
    ['that is wrong', wrong],
    ['that is late and wrong', both],
    ['that throws', throws],
    ['that is late, then throws', (run: Run) => (late(run), throws())],
  ])('%s fails at once', async (_name, first) => {
    const { printed, ...rest } = await played([first, holds])
    expect(rest).toMatchObject({ outcome: 'failed', count: 1 })
    expect(printed).toContain('R0 FAILS (')
  })

  test('that does not end fails at once', async () => {
    vi.useFakeTimers()
    const playing = played([() => new Promise<never>(() => undefined), holds])
    await vi.advanceTimersByTimeAsync(33_000)
    expect(await playing).toMatchObject({ outcome: 'failed', count: 1 })
  })

  test('that cannot run here is skipped', async () => {
    expect(await played([(run) => void (run.skipped = 'no')])).toMatchObject({ outcome: 'skipped', count: 1 })
  })
})

test('without --again a scenario that is late fails at once', async () => {
  const { printed, ...rest } = await played([late, holds], false)
  expect(rest).toMatchObject({ outcome: 'failed', count: 1 })
  expect(printed).toContain('R0 FAILS (')
})

describe('a row', () => {
  const row = (add: (run: Run) => void) => {
    const run = new Run('fast')
    add(run)
    return run.rows[0]
  }

  test.each([
    [10, true, '10 ms', true],
    [11, false, '11 ms', true],
    [undefined, false, 'never', true],
    [NaN, false, 'NaN ms', false],
  ])('in time, measured %s', (tookMs, holds, measured, timed) => {
    expect(row((run) => run.inTime('x', tookMs, 10))).toEqual({ name: 'x', measured, wanted: '≤ 10 ms', holds, timed })
  })

  test.each([
    [10, true, '10 ms', true],
    [11, false, '11 ms', true],
    [undefined, false, 'never', false],
    [Infinity, false, 'Infinity s', false],
  ])('reached, measured %s', (tookMs, holds, measured, timed) => {
    expect(row((run) => run.reached('x', tookMs, 10, 'soon'))).toEqual({
      name: 'x',
      measured,
      wanted: 'soon',
      holds,
      timed,
    })
  })

  test('of another kind is not timed unless it says so', () => {
    expect(row((run) => run.check('x', 1, 2, false))?.timed).toBe(false)
    expect(row((run) => run.equal('x', 1, 2))?.timed).toBe(false)
    expect(row((run) => run.check('x', 1, 2, false, { timed: true }))?.timed).toBe(true)
  })
})

describe('the end of the output', () => {
  test('says nothing of what was well', async () => {
    const results = [(await played([holds])).result, (await played([(run) => void (run.skipped = 'no')])).result]
    expect(summary(results)).toEqual([])
    expect(countsLine(results)).toBe('1 passed, 0 failed, 1 skipped')
  })

  test('names the rows of what failed or was late', async () => {
    const results = []
    for (const plays of [[holds], [late, holds], [both], [throws], [late, late]])
      results.push((await played(plays)).result)
    expect(summary(results)).toEqual([
      'R0 was late, held when played again:',
      '  NOT  answer after: 15 ms, wanted ≤ 10 ms',
      'R0 failed:',
      '  NOT  answer after: 15 ms, wanted ≤ 10 ms',
      '  NOT  missing: 1, wanted 0',
      'R0 failed:',
      '  Error: the node has ended',
      'R0 failed, played twice:',
      '  NOT  answer after: 15 ms, wanted ≤ 10 ms',
      '  NOT  answer after: 15 ms, wanted ≤ 10 ms',
    ])
    expect(countsLine(results)).toBe('2 passed, 3 failed, 0 skipped')
  })
})
