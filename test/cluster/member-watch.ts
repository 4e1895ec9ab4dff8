/**
 * What one client is told of the members of its presence channels: the roster at each subscribe, then every change. Notices at once
 * what must never be: a user added who is there, or removed who is not.
 *
 *     const watch = new MemberWatch(client)              // before it subscribes
 *     await client.subscribe('presence-room', 'watcher')
 *     watch.view('presence-room')                        // the user ids it would show now
 *     watch.mark()                                       // forget the changes so far
 *     watch.removed('user-1')                            // how often since then, over all channels
 */
import type { WireClient } from '../black-box/wire-client.js'
import type { ServerMessage } from '../../bench/load/message.js'

const problemsMax = 20
const namesOfChange = new Map([
  ['pusher_internal:member_added', 'added'],
  ['pusher_internal:member_removed', 'removed'],
] as const)

export interface Change {
  readonly kind: 'added' | 'removed'
  readonly channel: string
  readonly user: string
  readonly atMs: number
}

export class MemberWatch {
  readonly client: WireClient
  /** Since the last mark(), in order. */
  changes: Change[] = []
  /** Since the beginning: changes that contradict what was told before. The first ones in words. */
  wrong = 0
  readonly problems: string[] = []
  /** The last change, by performance.now(). */
  lastAtMs = 0
  readonly #views = new Map<string, Set<string>>()
  readonly #others: ((message: ServerMessage) => void) | undefined

  constructor(client: WireClient) {
    this.client = client
    this.#others = client.onMessage
    client.onSubscribed = (channel, data) => this.#begin(channel, data)
    client.onMessage = (message) => {
      const kind = namesOfChange.get(message.event as never)
      if (kind === undefined) this.#others?.(message)
      else this.#take(kind, message.channel ?? '', (JSON.parse(message.data) as { user_id: string }).user_id)
    }
  }

  /** Ids of the users it knows in a channel; undefined before it is subscribed. */
  view(channel: string): ReadonlySet<string> | undefined {
    return this.#views.get(channel)
  }

  mark(): void {
    this.changes = []
  }

  added(user?: string): number {
    return this.#count('added', user)
  }

  removed(user?: string): number {
    return this.#count('removed', user)
  }

  /** `added removed` of one user since the mark, in order. */
  historyOf(user: string): string {
    return this.changes
      .filter((change) => change.user === user)
      .map(({ kind }) => kind)
      .join(' ')
  }

  #count(kind: Change['kind'], user: string | undefined): number {
    let count = 0
    for (const change of this.changes)
      if (change.kind === kind && (user === undefined || change.user === user)) count += 1
    return count
  }

  #begin(channel: string, data: string): void {
    if (!channel.startsWith('presence-')) return
    const { presence } = JSON.parse(data) as { presence: { ids: string[] } }
    this.#views.set(channel, new Set(presence.ids))
  }

  #take(kind: Change['kind'], channel: string, user: string): void {
    this.lastAtMs = performance.now()
    this.changes.push({ kind, channel, user, atMs: this.lastAtMs })
    const view = this.#views.get(channel)
    if (view === undefined) {
      this.#complain(`${kind} ${user} in ${channel} before the roster`)
      return
    }
    if (view.has(user) === (kind === 'added')) this.#complain(`${kind} ${user} in ${channel} again`)
    if (kind === 'added') view.add(user)
    else view.delete(user)
  }

  #complain(problem: string): void {
    this.wrong += 1
    if (this.problems.length < problemsMax) this.problems.push(problem)
  }
}

/** Whether two sets of names are the same. */
export function sameNames(a: Iterable<string>, b: Iterable<string>): boolean {
  const [first, second] = [new Set(a), new Set(b)]
  return first.size === second.size && [...first].every((name) => second.has(name))
}
