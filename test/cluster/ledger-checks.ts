/** Rows of the table that an account of events gives. */
import type { Run } from '../black-box/run.js'
import { ms } from '../black-box/waiting.js'
import type { Ledger } from './ledger.js'

const answeredMs = 1500
/** For the way through a machine that does other things too. */
const toleranceMs = 100

/** Answers of 200 and 503 only, and in time. */
export function checkAnswers(run: Run, ledger: Ledger): void {
  run.figure('triggers by answer', ledger.answersText())
  const others = ledger.triggers.filter(({ status }) => status !== 200 && status !== 503).length
  run.equal('answered neither 200 nor 503', others, 0)
  // Infinity for one that was never answered.
  run.reached('the slowest answer after', ledger.slowestAnswerMs, answeredMs + toleranceMs, `≤ ${ms(answeredMs)}`)
}

/** What was accepted came to everybody, once and in order. */
export function checkDeliveries(run: Run, ledger: Ledger): void {
  run.figure('deliveries', ledger.deliveries)
  run.equal('accepted, and missing at a client that was there', ledger.missing().length, 0)
  checkNoneTwice(run, ledger)
}

export function checkNoneTwice(run: Run, ledger: Ledger): void {
  run.equal(
    'delivered twice, or out of the order of their publisher',
    `${ledger.repeated}, ${ledger.reordered}`,
    '0, 0',
  )
}

/** What was refused came to nobody, but for publishes under way when it broke: so many at most, each of them listed. */
export function checkRefused(run: Run, ledger: Ledger, brokeAtMs: number, max: number): void {
  const delivered = ledger.deliveredThoughRefused()
  const underWay = delivered.filter(({ sentAtMs, answeredAtMs }) => sentAtMs <= brokeAtMs && answeredAtMs >= brokeAtMs)
  const name = `refused and yet delivered (${max === 0 ? 'none' : 'under way when it broke'})`
  const holds = delivered.length <= max && underWay.length === delivered.length
  run.check(name, delivered.length, `≤ ${max}`, holds)
  for (const { number, sentAtMs, answeredAtMs, status } of delivered.slice(0, 10)) {
    const [sent, answered] = [sentAtMs - brokeAtMs, answeredAtMs - brokeAtMs]
    run.figure(
      `  event ${number}`,
      `sent ${sent.toFixed(1)} ms, answered ${status} ${answered.toFixed(1)} ms after the fault`,
    )
  }
}
