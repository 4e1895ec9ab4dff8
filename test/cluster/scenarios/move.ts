import type { Scenario } from '../../black-box/scenario.js'
import { sleep } from '../../black-box/waiting.js'
import { Cluster } from '../cluster.js'
import { checkOrder, checkSettled, names, watchAll } from '../members.js'
import type { OutboxRecord } from '../outbox.js'

const channel = 'presence-room'
const user = 'mover'
const nodes = [0, 1, 2]
const perNode = 2
const moves = 2000

/** The user leaves one node and joins the next at the same moment, without waiting for either. */
export const move: Scenario = {
  id: 'MOVE',
  title: `a user changes between 3 nodes ${moves} times`,
  seconds: { fast: 20, normal: 20, long: 20 },
  async run(run) {
    const cluster = await Cluster.start(run, { nodes: nodes.length })
    const watches = await watchAll(run, cluster, nodes, channel, perNode)
    const clients = await Promise.all(nodes.map((node) => run.client(cluster.target(node))))
    await clients[0]?.subscribe(channel, user)
    for (const watch of watches) watch.mark()
    const before = await cluster.outbox()
    for (let count = 0; count < moves; count += 1) {
      const [from, to] = [clients[count % 3]!, clients[(count + 1) % 3]!]
      // In turn, because which of the two frames is written first decides which one usually wins.
      if (count % 2 === 0) from.unsubscribe(channel)
      const joined = to.subscribe(channel, user)
      if (count % 2 === 1) from.unsubscribe(channel)
      await joined
    }
    const people = [user, ...nodes.flatMap((node) => names(`watcher-${node}`, perNode))]
    await checkSettled(run, cluster, {
      name: 'every view and REST is the truth after',
      withinMs: 1000,
      channel,
      users: people,
      watches,
    })
    await sleep(200)
    checkOrder(run, watches)
    const pairs = watches.map((watch) => watch.removed(user))
    run.figure('removed and added again, as told per watcher', pairs.join(' '))
    const webhooks = (await cluster.outbox(before)).map(({ type }: OutboxRecord) => type)
    const alternating = webhooks.every((type, index) => type === (index % 2 === 0 ? 'member_removed' : 'member_added'))
    run.check('webhooks alternate', `${webhooks.length}, ${alternating ? 'yes' : 'no'}`, 'yes', alternating)
  },
}
