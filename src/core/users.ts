import type { ChannelTraits } from '../protocol/channel-name.js'
import { errors } from '../protocol/errors.js'
import { signinSuccessFrame, watchlistFrame } from '../protocol/outbound.js'
import type { Hub } from './hub.js'
import type { PendingWrites } from './pending-writes.js'
import type { Backend } from './ports/backend.js'
import type { Logger } from './ports/logger.js'
import type { UserStatus } from './ports/user-store.js'
import { snapshotAttemptsMax } from './subscriptions.js'
import { userStatusTopic } from './topic.js'
import type { Connection, Subscription } from './local-state.js'

/** A decoded and verified sign-in. */
export interface SignIn {
  readonly id: string
  readonly userInfo: string | undefined
  readonly watchlist: readonly string[]
  /** The exact text received. */
  readonly userData: string
}

/** Traits of the internal topic of a user's status: told to nobody by name, listed nowhere. */
const statusTraits: ChannelTraits = {
  auth: 'none',
  presence: false,
  encrypted: false,
  cache: false,
  clientEvents: false,
  listed: false,
}

/** Signed-in users of this node: sign-in, watchlists, termination (2.8). */
export class Users {
  readonly #hub: Hub
  readonly #backend: Backend
  readonly #writes: PendingWrites
  readonly #logger: Logger

  constructor(hub: Hub, backend: Backend, writes: PendingWrites, logger: Logger) {
    this.#writes = writes
    this.#hub = hub
    this.#backend = backend
    this.#logger = logger
  }

  /** Signs a connection in, or again with the same id, and starts its watchlist. */
  async signIn(connection: Connection, signIn: SignIn): Promise<void> {
    const { local } = connection
    const again = connection.user !== undefined
    if (!again) {
      connection.user = { id: signIn.id, userInfo: signIn.userInfo, watches: [] }
      connection.authorized = true
      const connections = local.users.get(signIn.id) ?? new Set()
      connections.add(connection)
      local.users.set(signIn.id, connections)
      await this.#orWarn(connection, 'A sign-in could not be stored', () =>
        this.#backend.users.signIn(local.id, signIn.id, connection.socketId),
      )
    }
    connection.send(signinSuccessFrame(signIn.userData))
    if (!again && local.app.watchlist.enabled) await this.#watch(connection, signIn.watchlist)
  }

  /** The connection is gone. */
  signOut(connection: Connection): void {
    const { user, local } = connection
    if (user === undefined) return
    for (const watch of user.watches) this.#hub.end(watch)
    const connections = local.users.get(user.id)
    connections?.delete(connection)
    if (connections?.size === 0) local.users.delete(user.id)
    const signOut = this.#orWarn(connection, 'A sign-out could not be stored', () =>
      this.#backend.users.signOut(local.id, user.id, connection.socketId, connection.handsOver),
    )
    this.#writes.watch(signOut)
  }

  /** Closes this node's connections signed in as the user. */
  terminate(appId: string, userId: string): void {
    const connections = this.#hub.apps.get(appId)?.users.get(userId)
    for (const connection of [...(connections ?? [])]) connection.end(errors.userTerminated())
  }

  /**
   * Subscribes to the status of every watched user, then tells the state of all in one frame; a change that comes in between
   * is held back and told after it.
   */
  async #watch(connection: Connection, watchlist: readonly string[]): Promise<void> {
    const limit = connection.local.app.limits.watchlistUsers
    if (watchlist.length > limit) connection.sendError(errors.watchlistLimit(limit))
    const userIds = watchlist.slice(0, limit)
    const { user, local } = connection
    if (userIds.length === 0 || user === undefined || connection.closed) return
    const watches = userIds.map((userId) =>
      this.#hub.beginInternal(connection, userStatusTopic(local.id, userId), statusTraits),
    )
    user.watches.push(...watches)
    await Promise.all(watches.flatMap((watch) => watch.channel.ready ?? []))
    const statuses = await this.#statusOf(connection, userIds, watches)
    if (hasClosed(connection)) return
    const frame = watchlistFrame(idsOf(statuses, true), idsOf(statuses, false))
    if (frame !== undefined) connection.send(frame)
    for (const [index, watch] of watches.entries()) this.#startWatch(watch, statuses[index])
  }

  /** The state of watched users; asked again while more of them changed than could be held back. Empty when the store fails. */
  async #statusOf(
    connection: Connection,
    userIds: readonly string[],
    watches: readonly Subscription[],
  ): Promise<readonly UserStatus[]> {
    const { local } = connection
    for (let attempt = 1; ; attempt += 1) {
      const statuses = await this.#orWarn(connection, 'The state of watched users could not be read', () =>
        this.#backend.users.status(local.id, userIds),
      )
      const overflowed = watches.filter((watch) => watch.takeOverflow()).length > 0
      if (statuses === undefined || !overflowed || hasClosed(connection)) return statuses ?? []
      if (attempt < snapshotAttemptsMax) continue
      this.#logger.warn(
        { app_id: local.id, socket_id: connection.socketId },
        'Watched users change faster than their state can be read; the client may have missed changes',
      )
      return statuses
    }
  }

  /** A store that fails costs the others' knowledge of this user, never the user's own connection: it is logged and gone on from. */
  async #orWarn<Result>(
    connection: Connection,
    message: string,
    ask: () => Promise<Result>,
  ): Promise<Result | undefined> {
    try {
      return await ask()
    } catch (error) {
      this.#logger.warn({ app_id: connection.local.id, err: error }, message)
      return undefined
    }
  }

  #startWatch(watch: Subscription, status: UserStatus | undefined): void {
    if (watch.state === 'left') return
    watch.snapshot = { members: status?.version ?? 0, cache: 0 }
    this.#hub.activate(watch)
  }
}

/** A function, because the state may have changed during an await that the compiler does not see. */
function hasClosed(connection: Connection): boolean {
  return connection.closed
}

function idsOf(statuses: readonly UserStatus[], online: boolean): string[] {
  return statuses.filter((status) => status.online === online).map((status) => status.userId)
}
