/** What one app's REST answers must say: built up by a scenario as it subscribes and unsubscribes, compared with any node. */
import type { RestClient } from '../black-box/rest-client.js'
import { sameNames } from './member-watch.js'

const differencesMax = 5

export class Truth {
  /** Channel → connections per user id; '' where the channel has no members. */
  readonly #channels = new Map<string, Map<string, number>>()

  get channels(): readonly string[] {
    return [...this.#channels.keys()]
  }

  subscriptions(channel: string): number {
    let count = 0
    for (const connections of this.#channels.get(channel)?.values() ?? []) count += connections
    return count
  }

  users(channel: string): string[] {
    return [...(this.#channels.get(channel)?.keys() ?? [])].filter((user) => user !== '')
  }

  add(channel: string, user = ''): void {
    const users = this.#channels.get(channel) ?? new Map<string, number>()
    this.#channels.set(channel, users)
    users.set(user, (users.get(user) ?? 0) + 1)
  }

  remove(channel: string, user = ''): void {
    const users = this.#channels.get(channel)
    const left = (users?.get(user) ?? 0) - 1
    if (left > 0) users?.set(user, left)
    else users?.delete(user)
    if (users?.size === 0) this.#channels.delete(channel)
  }

  /** What this node says otherwise; the first differences in words, none when it tells the truth. */
  async differences(rest: RestClient, channelsAskedOneByOne: readonly string[] = []): Promise<string[]> {
    const found: string[] = []
    const all = await counts(rest, 'info=subscription_count')
    if (typeof all === 'number') return [`/channels answered ${all}`]
    for (const channel of new Set([...this.channels, ...all.keys()])) {
      compare(
        found,
        `${channel}: subscription_count`,
        all.get(channel)?.subscription_count ?? 0,
        this.subscriptions(channel),
      )
    }
    const presence = await counts(rest, 'filter_by_prefix=presence-&info=user_count')
    if (typeof presence === 'number') return [`/channels of presence- answered ${presence}`]
    for (const channel of new Set([...this.channels.filter(isPresence), ...presence.keys()])) {
      compare(found, `${channel}: user_count`, presence.get(channel)?.user_count ?? 0, this.users(channel).length)
    }
    for (const channel of channelsAskedOneByOne) await this.#compareOne(found, rest, channel)
    return found.slice(0, differencesMax)
  }

  async #compareOne(found: string[], rest: RestClient, channel: string): Promise<void> {
    const info = isPresence(channel) ? 'subscription_count,user_count' : 'subscription_count'
    const one = await read(rest, `/channels/${channel}`, `info=${info}`)
    if (typeof one === 'number') return void found.push(`/channels/${channel} answered ${one}`)
    const { occupied, subscription_count, user_count } = one as ChannelAnswer & { occupied: boolean }
    compare(found, `${channel}: occupied`, String(occupied), String(this.subscriptions(channel) > 0))
    compare(found, `${channel} alone: subscription_count`, subscription_count ?? 0, this.subscriptions(channel))
    if (!isPresence(channel)) return
    compare(found, `${channel} alone: user_count`, user_count ?? 0, this.users(channel).length)
    const users = await read(rest, `/channels/${channel}/users`)
    if (typeof users === 'number') return void found.push(`/channels/${channel}/users answered ${users}`)
    const ids = (users as { users: { id: string }[] }).users.map(({ id }) => id)
    if (!sameNames(ids, this.users(channel)))
      found.push(`${channel}: users ${ids.join(' ')}, not ${this.users(channel).join(' ')}`)
  }
}

interface ChannelAnswer {
  readonly subscription_count?: number
  readonly user_count?: number
}

function isPresence(channel: string): boolean {
  return channel.startsWith('presence-')
}

function compare<Value>(found: string[], what: string, got: Value, wanted: Value): void {
  if (got !== wanted) found.push(`${what} ${got}, not ${wanted}`)
}

/** Channels by name, or the status that was no 200. */
async function counts(rest: RestClient, query: string): Promise<Map<string, ChannelAnswer> | number> {
  const body = await read(rest, '/channels', query)
  if (typeof body === 'number') return body
  return new Map(Object.entries((body as { channels: Record<string, ChannelAnswer> }).channels))
}

async function read(rest: RestClient, path: string, query = ''): Promise<unknown> {
  const { status, body } = await rest.send('GET', path, '', query)
  return status === 200 ? (JSON.parse(body) as unknown) : status
}
