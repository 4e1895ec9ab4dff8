/** Below so many free places at the front they are kept instead of copying the rest. */
const slackMin = 1024

/** A queue that also takes back at its front. Taking from the front is cheap, however long it is. */
export class Deque<Item> {
  #items: (Item | undefined)[] = []
  /** Places at the front that have been taken. */
  #taken = 0

  get length(): number {
    return this.#items.length - this.#taken
  }

  get first(): Item | undefined {
    return this.#items[this.#taken]
  }

  push(item: Item): void {
    this.#items.push(item)
  }

  shift(): Item | undefined {
    if (this.length === 0) return undefined
    const item = this.#items[this.#taken]
    // Not held any longer, although its place is.
    this.#items[this.#taken] = undefined
    this.#taken += 1
    if (this.#taken === this.#items.length || (this.#taken >= slackMin && 2 * this.#taken >= this.#items.length)) {
      this.#items = this.#items.slice(this.#taken)
      this.#taken = 0
    }
    return item
  }

  /** Puts items before the first, in their order. */
  prepend(items: Iterable<Item>): void {
    this.#items = [...items, ...this.#items.slice(this.#taken)]
    this.#taken = 0
  }

  *[Symbol.iterator](): Iterator<Item> {
    for (let index = this.#taken; index < this.#items.length; index += 1) yield this.#items[index] as Item
  }
}
