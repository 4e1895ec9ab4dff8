import { randomFillSync } from 'node:crypto'

/** The same items in random order: sorted by one random number each. */
export function shuffled<Item>(items: readonly Item[]): Item[] {
  const order = randomFillSync(new Uint32Array(items.length))
  return items
    .map((item, index) => ({ item, place: order[index] ?? 0 }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item)
}
