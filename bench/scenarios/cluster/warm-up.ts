/**
 * Work in front of what is measured, by its number and not by time: the path of an event over the bus is several times as much code
 * as that of one node, and a busy machine gets so little of it done in a second that what is measured would be the compiler.
 */
import { runLanes } from '../../load/lanes.js'
import { spread } from '../../load/load.js'
import type { Load } from '../../load/load.js'
import { PublishedChannel, restLanes } from '../published-channel.js'

const inFlight = 16
const triggers = 20_000
const atMostMs = 30_000

/** Triggers at the first node, with one subscriber at each unless there should be more. */
export async function warmUpTriggers(load: Load, subscribers = load.nodes): Promise<void> {
  const options = { channel: 'warm', publishers: inFlight, ringSize: 64, dataBytes: 100 }
  const channel = new PublishedChannel(load, options)
  await channel.subscribe(load, subscribers, spread)
  const send = restLanes(load, inFlight)
  await runLanes(inFlight, atMostMs, (lane) => channel.trigger(lane, send(lane)), triggers)
}
