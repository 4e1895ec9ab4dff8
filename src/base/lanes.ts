/** Work done at the same time, unless the caller says otherwise. */
const lanesDefault = 64

/** Does the work for each item, a bounded number at the same time. The first failure ends it. */
export async function inLanes<Item>(
  items: readonly Item[],
  work: (item: Item) => Promise<void>,
  lanes = lanesDefault,
): Promise<void> {
  let next = 0
  const lane = async () => {
    for (let item = items[next++]; item !== undefined; item = items[next++]) await work(item)
  }
  await Promise.all(Array.from({ length: Math.min(lanes, items.length) }, lane))
}
