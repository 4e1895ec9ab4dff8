export type FaultKind = 'lost' | 'doubled' | 'reordered' | 'malformed'

/** What went wrong with single messages. Anything but four zeros fails the run. */
export class Faults {
  readonly counts: Record<FaultKind, number> = { lost: 0, doubled: 0, reordered: 0, malformed: 0 }
  /** The first one of each kind, in words. */
  readonly examples = new Map<FaultKind, string>()

  add(kind: FaultKind, example: string, count = 1): void {
    this.counts[kind] += count
    if (!this.examples.has(kind)) this.examples.set(kind, example.slice(0, 300))
  }

  /** A message counted as lost came after all, behind later ones. */
  lostCameLate(example: string): void {
    this.counts.lost -= 1
    this.add('reordered', example)
  }

  get any(): boolean {
    return Object.values(this.counts).some((count) => count !== 0)
  }

  toString(): string {
    const counts = Object.entries(this.counts).map(([kind, count]) => `${kind} ${count}`)
    const examples = [...this.examples].map(([kind, example]) => `\n  ${kind}, first: ${example}`)
    return counts.join(', ') + examples.join('')
  }
}
