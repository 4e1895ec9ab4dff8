import { randomFillSync } from 'node:crypto'

/** The same items in random order: sorted by one random number each. */
export function shuffled<Item>(items: readonly Item[]): Item[] {
  const order = randomFillSync(new Uint32Array(items.length))
  return items
    .map((item, index) => ({ item, place: order[index] ?? 0 }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item)
}

/** A random number from 0 up to, not including, 1: to spread what would otherwise happen at once. */
export function randomFraction(): number {
  const [word = 0] = randomFillSync(new Uint32Array(1))
  return word / 2 ** 32
}

/** 32 hexadecimal digits that nobody can guess and nothing else has. */
export function randomToken(): string {
  return randomFillSync(Buffer.alloc(16)).toString('hex')
}
