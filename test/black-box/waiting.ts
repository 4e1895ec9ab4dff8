/** Waiting for a condition, never for "long enough"; and steady periods, where time itself is what is tested. */

export function sleep(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs))
}

/** How long the condition took to become true, in ms, or undefined when it did not within the deadline. */
export async function timeUntil(
  condition: () => boolean | Promise<boolean>,
  deadlineMs: number,
  everyMs = 20,
): Promise<number | undefined> {
  const startedAtMs = performance.now()
  for (;;) {
    if (await condition()) return performance.now() - startedAtMs
    if (performance.now() - startedAtMs > deadlineMs) return undefined
    await sleep(everyMs)
  }
}

/** @throws Error when the condition does not become true within the deadline */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  deadlineMs: number,
): Promise<number> {
  const took = await timeUntil(condition, deadlineMs)
  if (took === undefined) throw new Error(`not within ${deadlineMs} ms: ${what}`)
  return took
}

/** Milliseconds as a table shows them. */
export function ms(value: number | undefined): string {
  if (value === undefined) return 'never'
  return value >= 10_000 ? `${(value / 1000).toFixed(1)} s` : `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(1)} MB`
}
