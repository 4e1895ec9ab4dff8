import { errors } from '../../protocol/errors.js'
import type { Subscriptions } from '../subscriptions.js'
import type { Connection } from '../local-state.js'

/** pusher:unsubscribe: no acknowledgement; one that is still joining is cancelled (2.3). */
export function unsubscribe(connection: Connection, channel: string, subscriptions: Subscriptions): void {
  const subscription = connection.subscriptions?.get(channel)
  if (subscription === undefined) connection.sendError(errors.noSubscription(channel))
  else subscriptions.leave(subscription)
}
