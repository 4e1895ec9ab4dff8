/** Many channels over few connections, so that what is measured is the channels. */
import type { Load, Placing } from '../../load/load.js'
import { orStall } from '../../load/lanes.js'
import type { PusherClient } from '../../load/pusher-client.js'

const connections = 20
/** Subscribes of one connection that wait for an answer. */
const inFlight = 25

/** @param name of the channel with a number */
export async function openChannels(
  load: Load,
  count: number,
  placing: Placing,
  name = (index: number) => `channel-${index}`,
): Promise<void> {
  let opened = 0
  const prepare = async (client: PusherClient, connection: number) => {
    let next = connection
    const lane = async () => {
      for (let index = next; index < count; index = next) {
        next += connections
        await client.subscribe(name(index))
        opened += 1
      }
    }
    await Promise.all(Array.from({ length: inFlight }, lane))
  }
  await orStall(load.clients(connections, prepare, placing), () => opened)
}
