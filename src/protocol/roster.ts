import { memberAddedFrame } from './outbound.js'

interface Entry {
  readonly userInfo: string | undefined
  /** `\"u1\"`, ready to stand inside the data string. */
  readonly escapedId: string
  /** `\"u1\":{…}`, the same for the hash. */
  readonly escapedHash: string
}

/**
 * The members of one presence channel with their pieces of the subscription_succeeded frame prepared: joining pieces is 4 to 5
 * times cheaper than stringifying the roster twice for every joiner.
 */
export class Roster {
  readonly #entries = new Map<string, Entry>()
  /** The joined pieces; rebuilt when undefined. Appending keeps them, removing does not. */
  #joined: { ids: string; hash: string } | undefined = { ids: '', hash: '' }

  get count(): number {
    return this.#entries.size
  }

  has(userId: string): boolean {
    return this.#entries.has(userId)
  }

  /** Adds a user who is not in it. @param userInfo JSON text, or undefined when the user gave none */
  add(userId: string, userInfo: string | undefined): void {
    const id = JSON.stringify(userId)
    const entry = { userInfo, escapedId: escape(id), escapedHash: escape(`${id}:${userInfo ?? 'null'}`) }
    this.#entries.set(userId, entry)
    if (this.#joined === undefined) return
    const comma = this.#entries.size > 1 ? ',' : ''
    this.#joined.ids += comma + entry.escapedId
    this.#joined.hash += comma + entry.escapedHash
  }

  delete(userId: string): void {
    if (this.#entries.delete(userId)) this.#joined = undefined
  }

  userIds(): string[] {
    return [...this.#entries.keys()]
  }

  /** The member_added frame of a user who is in it. */
  addedFrame(channel: string, userId: string): string {
    return memberAddedFrame(channel, userId, this.#entries.get(userId)?.userInfo)
  }

  /** `{"presence":{"count":…,"ids":[…],"hash":{…}}}` (2.5), escaped to stand inside a JSON string. */
  escapedJson(): string {
    this.#joined ??= this.#join()
    return `{\\"presence\\":{\\"count\\":${this.#entries.size},\\"ids\\":[${this.#joined.ids}],\\"hash\\":{${this.#joined.hash}}}}`
  }

  #join(): { ids: string; hash: string } {
    const ids: string[] = []
    const hash: string[] = []
    for (const entry of this.#entries.values()) {
      ids.push(entry.escapedId)
      hash.push(entry.escapedHash)
    }
    return { ids: ids.join(','), hash: hash.join(',') }
  }
}

function escape(json: string): string {
  return JSON.stringify(json).slice(1, -1)
}
