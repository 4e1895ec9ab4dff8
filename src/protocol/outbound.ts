/**
 * Frames from the server to clients: complete JSON texts, each made once per event (2.1). `data` is always a string, except in
 * pusher:error. Channel names that passed `parseChannelName` need no escaping.
 */
import type { ProtocolError } from './errors.js'

export const pongFrame = '{"event":"pusher:pong","data":"{}"}'
export const pingFrame = '{"event":"pusher:ping","data":"{}"}'

export function connectionEstablishedFrame(socketId: string, activityTimeoutSeconds: number): string {
  return `{"event":"pusher:connection_established","data":"{\\"socket_id\\":\\"${socketId}\\",\\"activity_timeout\\":${activityTimeoutSeconds}}"}`
}

/** The one event whose data is an object (1.6). */
export function errorFrame(error: ProtocolError): string {
  return `{"event":"pusher:error","data":{"code":${error.code},"message":${JSON.stringify(error.message)}}}`
}

/** @param channel a valid channel name */
export function subscriptionSucceededFrame(channel: string): string {
  return `{"event":"pusher_internal:subscription_succeeded","channel":"${channel}","data":"{}"}`
}

/** @param escapedRoster see RosterSnapshot */
export function presenceSucceededFrame(channel: string, escapedRoster: string): string {
  return `{"event":"pusher_internal:subscription_succeeded","channel":"${channel}","data":"${escapedRoster}"}`
}

/** How a refused subscription is told to the channel's handlers (2.4). */
export interface SubscriptionRefusal {
  readonly type: 'AuthError' | 'InvalidChannel' | 'LimitReached' | 'ServerError'
  readonly status: number
  readonly error: ProtocolError
}

/** @param channel as the client sent it; may be any text */
export function subscriptionErrorFrame(channel: string, refusal: SubscriptionRefusal): string {
  const data = JSON.stringify({ type: refusal.type, error: refusal.error.message, status: refusal.status })
  return `{"event":"pusher:subscription_error","channel":${JSON.stringify(channel)},"data":${JSON.stringify(data)}}`
}

/**
 * A published event.
 * @param channel a valid channel name
 * @param dataLiteral the payload as a JSON string literal, quotes included
 */
export function eventFrame(nameLiteral: string, channel: string, dataLiteral: string): string {
  return `{"event":${nameLiteral},"channel":"${channel}","data":${dataLiteral}}`
}

/** @param userId the sender's, on presence channels only */
export function clientEventFrame(
  name: string,
  channel: string,
  dataLiteral: string,
  userId: string | undefined,
): string {
  const sender = userId === undefined ? '' : `,"user_id":${JSON.stringify(userId)}`
  return `{"event":${JSON.stringify(name)},"channel":"${channel}","data":${dataLiteral}${sender}}`
}

/** @param userInfo JSON text, or undefined when the user gave none */
export function memberAddedFrame(channel: string, userId: string, userInfo: string | undefined): string {
  const info = userInfo === undefined ? '' : `,"user_info":${userInfo}`
  const data = `{"user_id":${JSON.stringify(userId)}${info}}`
  return `{"event":"pusher_internal:member_added","channel":"${channel}","data":${JSON.stringify(data)}}`
}

export function memberRemovedFrame(channel: string, userId: string): string {
  const data = `{"user_id":${JSON.stringify(userId)}}`
  return `{"event":"pusher_internal:member_removed","channel":"${channel}","data":${JSON.stringify(data)}}`
}

export function subscriptionCountFrame(channel: string, count: number): string {
  return `{"event":"pusher_internal:subscription_count","channel":"${channel}","data":"{\\"subscription_count\\":${count}}"}`
}

export function cacheMissFrame(channel: string): string {
  return `{"event":"pusher:cache_miss","channel":"${channel}","data":"{}"}`
}

/** @param userData the exact text received, echoed unchanged (2.8) */
export function signinSuccessFrame(userData: string): string {
  return `{"event":"pusher:signin_success","data":${JSON.stringify(JSON.stringify({ user_data: userData }))}}`
}

/** Lists that are empty are left out; undefined when both are (2.8). */
export function watchlistFrame(online: readonly string[], offline: readonly string[]): string | undefined {
  const events = []
  if (online.length > 0) events.push({ name: 'online', user_ids: online })
  if (offline.length > 0) events.push({ name: 'offline', user_ids: offline })
  if (events.length === 0) return undefined
  return `{"event":"pusher_internal:watchlist_events","data":${JSON.stringify(JSON.stringify({ events }))}}`
}
