import { parseChannelName, userOfChannel, type ChannelTraits } from '../../protocol/channel-name.js'
import { codes } from '../../protocol/codes.js'
import { errors } from '../../protocol/errors.js'
import type { SubscribeMessage } from '../../protocol/inbound.js'
import { checkMember, decodeMember, type DecodedMember } from '../../protocol/member.js'
import { errorFrame, subscriptionErrorFrame, type SubscriptionRefusal } from '../../protocol/outbound.js'
import { channelAuthText, splitAuth } from '../../protocol/signature.js'
import type { Hub } from '../hub.js'
import type { Subscriptions } from '../subscriptions.js'
import type { Connection, Subscription } from '../local-state.js'

/** The numbers soketi uses, so that existing handlers keep working (2.4). */
const statusFull = codes.overCapacity
const statusTooLarge = codes.clientEventRejected
const statusNameTooLong = codes.unauthorized

/**
 * pusher:subscribe (2.3): limits, then the signature, then the member; every subscribe is answered, and a refusal leaves the
 * connection as it was.
 */
export function subscribe(
  connection: Connection,
  message: SubscribeMessage,
  hub: Hub,
  subscriptions: Subscriptions,
): Promise<void> | undefined {
  const name = message.channel
  if (connection.subscriptions?.has(name) === true) {
    connection.sendError(errors.existingSubscription(name))
    return undefined
  }
  const traits = connection.local.channels.get(name)?.traits ?? parseChannelName(name)
  const refusal = traits === undefined ? invalidName(name) : refuse(connection, message, traits)
  if (traits === undefined || refusal !== undefined) {
    if (refusal !== undefined) tellRefusal(connection, name, refusal)
    return undefined
  }
  const decoded = traits.presence ? memberOf(connection, message) : undefined
  if (decoded?.ok === false) {
    tellRefusal(connection, name, memberRefusal(decoded))
    return undefined
  }
  const subscription = hub.begin(connection, name, traits)
  try {
    const outcome = subscriptions.join(subscription, decoded)
    // Most are joined by now, without a promise.
    return typeof outcome === 'string' ? undefined : finish(subscription, outcome, hub, subscriptions)
  } catch (error) {
    abandon(subscription, subscriptions)
    throw error
  }
}

async function finish(
  subscription: Subscription,
  joining: Promise<unknown>,
  hub: Hub,
  subscriptions: Subscriptions,
): Promise<void> {
  const outcome = await joining.catch((error: unknown) => {
    abandon(subscription, subscriptions)
    throw error
  })
  if (outcome !== 'full') return
  hub.end(subscription)
  const { connection, channel } = subscription
  const limit = connection.local.app.limits.presenceMembers
  tellRefusal(connection, channel.name, limitReached(statusFull, errors.channelFull(channel.name, limit)))
}

/** Every subscribe is answered, and the stores must not keep what the client was never told. */
function abandon(subscription: Subscription, subscriptions: Subscriptions): void {
  const { connection, channel, state } = subscription
  subscriptions.leave(subscription)
  if (state !== 'left') tellRefusal(connection, channel.name, failed(channel.name))
}

/** What forbids the subscription before its member is looked at, or undefined. */
function refuse(
  connection: Connection,
  message: SubscribeMessage,
  traits: ChannelTraits,
): SubscriptionRefusal | undefined {
  const { limits } = connection.local.app
  const name = message.channel
  if (traits.auth !== 'user' && name.length > limits.channelNameLength) {
    return limitReached(statusNameTooLong, errors.channelNameTooLong(name.length, limits.channelNameLength))
  }
  if ((connection.subscriptions?.size ?? 0) >= limits.subscriptionsPerConnection) {
    return limitReached(statusFull, errors.tooManySubscriptions(limits.subscriptionsPerConnection))
  }
  switch (traits.auth) {
    case 'none':
      return undefined
    case 'user':
      return connection.user !== undefined && connection.user.id === userOfChannel(name)
        ? undefined
        : { type: 'AuthError', status: 401, error: errors.notSignedInAs(name) }
    case 'signature':
    case 'member':
      return refuseSignature(connection, message)
  }
}

function refuseSignature(connection: Connection, message: SubscribeMessage): SubscriptionRefusal | undefined {
  const { channel, auth, channelData } = message
  const error = signatureError(connection, channel, auth, channelData)
  if (error === undefined) return undefined
  connection.local.counters.authFailures.channel += 1
  return { type: 'AuthError', status: 401, error }
}

function signatureError(
  connection: Connection,
  channel: string,
  auth: string | undefined,
  channelData: string | undefined,
) {
  if (auth === undefined) return errors.authRequired(channel)
  const { key, digest } = splitAuth(auth)
  const signer = connection.local.app.signers.get(key)
  if (signer === undefined) return errors.invalidKey(key)
  const text = channelAuthText(connection.socketId, channel, channelData)
  return signer.verify(text, digest) ? undefined : errors.invalidSignature(text, digest)
}

/** The member a presence subscription stands for: from channel_data, else from the sign-in (2.5). */
function memberOf(connection: Connection, message: SubscribeMessage): DecodedMember {
  const { limits } = connection.local.app
  if (message.channelData !== undefined) return decodeMember(message.channelData, limits)
  if (connection.user !== undefined) return checkMember(connection.user.id, connection.user.userInfo, limits)
  return { ok: false, kind: 'invalid', error: errors.invalidMember() }
}

function memberRefusal(decoded: Extract<DecodedMember, { ok: false }>): SubscriptionRefusal {
  return decoded.kind === 'limit'
    ? limitReached(statusTooLarge, decoded.error)
    : { type: 'AuthError', status: 401, error: decoded.error }
}

function invalidName(name: string): SubscriptionRefusal {
  return { type: 'InvalidChannel', status: 400, error: errors.invalidChannelName(name) }
}

function failed(name: string): SubscriptionRefusal {
  return { type: 'ServerError', status: 500, error: errors.subscriptionFailed(name) }
}

function limitReached(status: number, error: SubscriptionRefusal['error']): SubscriptionRefusal {
  return { type: 'LimitReached', status, error }
}

/** Both conventions, the channel's own event first (2.4). */
function tellRefusal(connection: Connection, channel: string, refusal: SubscriptionRefusal): void {
  connection.send(subscriptionErrorFrame(channel, refusal))
  connection.send(errorFrame(refusal.error))
}
