/** Keeps a fixed number of operations in flight. */

/** Without one finished operation for so long, the run has lost something. */
const stallMs = 8_000

export interface LanesResult {
  readonly operations: number
  /** Of every operation, up to a bound. */
  readonly latenciesMs: number[]
}

const latenciesMax = 100_000

/**
 * Runs `step` over and over in each lane for `durationMs` or, if that comes first, `operationsMax` times in all, and lets
 * the started ones end.
 *
 * The generator never sleeps meanwhile. A send() that has to wake a sleeping receiver costs the *server* an interrupt to
 * another processor, dear in a virtual machine; no subscriber over a network causes that, and whether it happens would
 * depend on which of the two processes is faster at the moment.
 * @throws Error when nothing has moved for eight seconds
 */
export async function runLanes(
  lanes: number,
  durationMs: number,
  step: (lane: number) => Promise<unknown>,
  operationsMax = Infinity,
): Promise<LanesResult> {
  const end = performance.now() + durationMs
  const latenciesMs: number[] = []
  let started = 0
  let operations = 0
  const lane = async (index: number) => {
    for (let from = performance.now(); from < end && started < operationsMax;) {
      started += 1
      await step(index)
      const now = performance.now()
      operations += 1
      if (latenciesMs.length < latenciesMax) latenciesMs.push(now - from)
      from = now
    }
  }
  let awake = true
  const stayAwake = () => {
    if (awake) setImmediate(stayAwake)
  }
  stayAwake()
  try {
    await orStall(Promise.all(Array.from({ length: lanes }, (_, index) => lane(index))), () => operations)
  } finally {
    awake = false
  }
  return { operations, latenciesMs }
}

/** Waits for the work, as long as the progress keeps changing. */
export async function orStall<T>(work: Promise<T>, progress: () => number): Promise<T> {
  let watch: NodeJS.Timeout | undefined
  const stalled = new Promise<never>((_, reject) => {
    let last = progress()
    watch = setInterval(() => {
      const now = progress()
      if (now === last) reject(new Error(`nothing moved for ${stallMs / 1000} s`))
      last = now
    }, stallMs)
  })
  try {
    return await Promise.race([work, stalled])
  } finally {
    clearInterval(watch)
  }
}
