/** What the programs in JavaScript have in common: how they report, how they ask the stage, how they wait. */

/** @param print gets each line of the contract as an object */
export function checker(print) {
  return async (check, work) => {
    try {
      await work()
      print({ check, ok: true })
    } catch (error) {
      print({ check, ok: false, detail: error instanceof Error ? error.message : JSON.stringify(error) })
    }
  }
}

/** @returns a function that asks for an action of the stage and gives its answer */
export function stageAt(url) {
  return async (action, body = {}) => {
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(`${url}${action}`, { method: 'POST', headers, body: JSON.stringify(body) })
    const answer = await response.json()
    if (!response.ok) throw new Error(`${action}: ${answer.error}`)
    return answer
  }
}

/** Compares what JSON would say of both, whatever the order of keys. */
export function same(seen, wanted) {
  const [left, right] = [seen, wanted].map((value) => JSON.stringify(sorted(value)))
  if (left !== right) throw new Error(`seen ${left}, wanted ${right}`)
}

export function sleep(delayMs) {
  return new Promise((resolve) => setTimeout(resolve, delayMs))
}

/** Asks again and again until the answer is neither false nor undefined. */
export async function until(what, ask, deadlineMs = 5000, everyMs = 20) {
  const endsAt = Date.now() + deadlineMs
  for (;;) {
    const answer = await ask()
    if (answer !== false && answer !== undefined) return answer
    if (Date.now() > endsAt) throw new Error(`not within ${deadlineMs} ms: ${what}`)
    await sleep(everyMs)
  }
}

/** What handlers were called with, in order. */
export class Heard {
  all = []
  #read = 0

  add = (value) => {
    this.all.push(value)
  }

  async next(what, deadlineMs = 5000) {
    const value = await until(what, () => this.all.length > this.#read && { value: this.all[this.#read] }, deadlineMs)
    this.#read += 1
    return value.value
  }
}

function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value ?? null
  const keys = Object.keys(value).sort()
  return Object.fromEntries(keys.map((key) => [key, sorted(value[key])]))
}
