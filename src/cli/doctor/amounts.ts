/** Figures as people read them, and marks that more than one check uses. */

/** A difference of clocks that nobody notices, and one that uses up half of the 600 s in which signatures are valid. */
const clockWarnMs = 1000
const clockFailMs = 300_000

export function clockVerdict(differenceMs: number): { verdict: 'ok' | 'warning' | 'failed'; text: string } {
  const verdict = differenceMs > clockFailMs ? 'failed' : differenceMs > clockWarnMs ? 'warning' : 'ok'
  return {
    verdict,
    text: differenceMs < 1000 ? `${Math.round(differenceMs)} ms` : `${Math.round(differenceMs / 1000)} s`,
  }
}

export function milliseconds(ms: number): string {
  return `${ms < 10 ? ms.toFixed(2) : Math.round(ms)} ms`
}

/** Bytes. */
export function amount(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB']
  let [value, unit] = [bytes, 0]
  while (value >= 1024 && unit < units.length - 1) [value, unit] = [value / 1024, unit + 1]
  return `${unit === 0 || value >= 100 || Number.isInteger(value) ? Math.round(value) : value.toFixed(1)} ${units[unit] ?? ''}`
}

/** Whole days from one moment to another, in ms since 1970; negative when it is past. */
export function daysUntil(endMs: number, nowMs: number): number {
  return Math.floor((endMs - nowMs) / 86_400_000)
}
