/** Polls until `check` gives a value that is neither undefined nor false; fails with `what` when the deadline passes. */
export async function eventually<Value>(
  what: string,
  check: () => Value | undefined | false | Promise<Value | undefined | false>,
  deadlineMs = 5000,
): Promise<Value> {
  const endsAt = performance.now() + deadlineMs
  for (;;) {
    const value = await check()
    if (value !== undefined && value !== false) return value
    if (performance.now() > endsAt) throw new Error(`not within ${deadlineMs} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}
