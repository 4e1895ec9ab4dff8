/** One reading of a node's metrics in the Prometheus text format. */
export class Scrape {
  readonly #lines: readonly string[]

  constructor(text: string) {
    this.#lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  }

  /** The sum over all series of `belfry_NAME` whose labels contain the given text. @throws Error when there is none */
  sum(name: string, labels = ''): number {
    let sum: number | undefined
    for (const line of this.#lines) {
      const match = /^belfry_([a-z_]+)(?:\{([^}]*)\})? ([-+0-9.eE]+)$/.exec(line)
      if (match?.[1] !== name || !(match[2] ?? '').includes(labels)) continue
      sum = (sum ?? 0) + Number(match[3])
    }
    // A labelled series exists only once there was something to count.
    if (sum === undefined && labels === '') throw new Error(`there is no metric belfry_${name}`)
    return sum ?? 0
  }
}
