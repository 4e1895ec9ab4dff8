import type { Scenario } from '../../black-box/scenario.js'
import { sleep, timeUntil } from '../../black-box/waiting.js'
import { Cluster } from '../cluster.js'
import { checkOrder, rangeText, watchAs } from '../members.js'
import { typesText } from '../outbox.js'

const channel = 'presence-room'
const user = 'twice'
const rounds = 200
/** Of the rounds, left by closing the connections instead of unsubscribing. */
const closingEvery = 4
const toldMs = 3000

export const race: Scenario = {
  id: 'RACE',
  title: `the same user joins on two nodes at once and leaves at once, ${rounds} rounds`,
  seconds: { fast: 15, normal: 15, long: 15 },
  async run(run) {
    const cluster = await Cluster.start(run, { nodes: 2 })
    const watches = [
      await watchAs(run, cluster, 0, channel, 'watcher-0'),
      await watchAs(run, cluster, 1, channel, 'watcher-1'),
    ]
    const everybodyTold = (kind: 'added' | 'removed') => () => watches.every((watch) => watch[kind](user) >= 1)
    const join = async () => Promise.all([run.client(cluster.target(0)), run.client(cluster.target(1))])
    let pair = await join()
    let [wrong, late] = [0, 0]
    const before = await cluster.outbox()
    for (let round = 0; round < rounds; round += 1) {
      for (const watch of watches) watch.mark()
      await Promise.all(pair.map((client) => client.subscribe(channel, user)))
      if ((await timeUntil(everybodyTold('added'), toldMs, 1)) === undefined) late += 1
      if (round % closingEvery === 0) {
        for (const client of pair) client.close()
        pair = await join()
      } else {
        for (const client of pair) client.unsubscribe(channel)
      }
      if ((await timeUntil(everybodyTold('removed'), toldMs, 1)) === undefined) late += 1
      // A second event of either kind would follow at once.
      await sleep(10)
      for (const watch of watches) if (watch.historyOf(user) !== 'added removed') wrong += 1
    }
    run.equal('rounds that were not one added and one removed, at either watcher', wrong, 0)
    run.equal(`not told within ${toldMs / 1000} s`, late, 0)
    checkOrder(run, watches)
    const entries = await cluster.outbox(before)
    run.equal('webhooks', typesText(entries), `${rounds} × member_added, ${rounds} × member_removed`)
    run.equal('members left per view', rangeText(watches.map((watch) => watch.view(channel)?.size ?? 0)), '2')
  },
}
