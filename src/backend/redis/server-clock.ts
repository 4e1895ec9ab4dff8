/** One question for the server's time. `offsetMs` = server's time − own monotonic time; half the round trip is its error. */
interface Sample {
  readonly offsetMs: number
  readonly halfTripMs: number
}

const samplesKept = 8
/** A contradiction within this much is drift and jitter; above it the server's clock was set, or it is another server. */
const toleranceMs = 50

/** What a server's clock shows, learnt from answers with its time: of the last samples the one with the shortest round trip counts. */
export class ServerClock {
  #samples: Sample[] = []
  #best: Sample | undefined

  /** @param timeMs what the server said; `sentAtMs` and `receivedAtMs` are monotonic */
  learn(timeMs: number, sentAtMs: number, receivedAtMs: number): void {
    const halfTripMs = (receivedAtMs - sentAtMs) / 2
    const sample = { offsetMs: timeMs - (sentAtMs + halfTripMs), halfTripMs }
    const best = this.#best
    if (best !== undefined) {
      const apartMs = Math.abs(sample.offsetMs - best.offsetMs)
      if (apartMs > best.halfTripMs + halfTripMs + toleranceMs) this.#samples = []
    }
    this.#samples.push(sample)
    if (this.#samples.length > samplesKept) this.#samples.shift()
    this.#best = this.#samples.reduce((a, b) => (b.halfTripMs <= a.halfTripMs ? b : a))
  }

  forget(): void {
    this.#samples = []
    this.#best = undefined
  }

  /** The server's time in ms since 1970; undefined before the first sample. */
  atMs(monotonicMs: number): number | undefined {
    return this.#best === undefined ? undefined : monotonicMs + this.#best.offsetMs
  }
}
