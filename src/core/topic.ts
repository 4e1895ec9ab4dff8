import type { Topic } from './ports/broker.js'

/** `APP_ID/CHANNEL`. App ids contain no slash (the configuration refuses one), so a topic splits at the first. */
export function topicOf(appId: string, channel: string): Topic {
  return `${appId}/${channel}`
}

/** The internal topic that tells when a user comes online or goes offline. Clients cannot subscribe to the name. */
export function userStatusTopic(appId: string, userId: string): Topic {
  return `${appId}/#watch-${userId}`
}

export function splitTopic(topic: Topic): { appId: string; channel: string } {
  const slash = topic.indexOf('/')
  return { appId: topic.slice(0, slash), channel: topic.slice(slash + 1) }
}

/** The user of a topic that `userStatusTopic` made; undefined for every other. */
export function userOfStatusTopic(topic: Topic): string | undefined {
  const { channel } = splitTopic(topic)
  return channel.startsWith('#watch-') ? channel.slice('#watch-'.length) : undefined
}
