/** So many operations a second, whatever the server does. */
import { orStall } from './lanes.js'

const tickMs = 5

/**
 * Every 5 ms what is due, all at once: as many clients do what they do at the same moment, and a server that is not awake all the
 * time is not charged for being woken by each of them. The generator itself never sleeps (see runLanes).
 * @param act does the operations from a number on; may be slower than the pace, and then this takes longer
 * @returns how many it were
 */
export async function runPaced(
  perSecond: number,
  durationMs: number,
  act: (first: number, count: number) => unknown,
): Promise<number> {
  const ticks = Math.floor(durationMs / tickMs)
  const perTick = (perSecond * tickMs) / 1000
  const startedAtMs = performance.now()
  let tick = 0
  let done = 0
  const pace = async () => {
    while (tick < ticks) {
      if (performance.now() >= startedAtMs + tick * tickMs) {
        tick += 1
        const count = Math.floor(tick * perTick) - done
        await act(done, count)
        done += count
      }
      await new Promise<void>((resolve) => setImmediate(resolve))
    }
  }
  await orStall(pace(), () => tick)
  return done
}
