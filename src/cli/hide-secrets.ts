/** Tells the log what it must never write. */
import type { Config } from '../config/schema.js'
import type { AppSettings, WebhookSettings } from '../core/ports/app.js'
import type { Redactor } from '../observability/redact.js'

/** A part of a query that is shorter is more likely an ordinary word. The query as a whole is hidden in any case. */
const queryValueCharsMin = 8

/** Whatever of the configuration no log line may hold. */
export function hideSecrets(redactor: Redactor, { apps, tls, redis }: Config): void {
  hideAppSecrets(redactor, apps)
  for (const secret of [tls?.passphrase, redis?.sentinelPassword, ...passwordsOf(redis?.url)]) {
    if (secret !== undefined) redactor.addSecret(secret)
  }
}

/** The secrets of apps, and what an app sends its receivers so that they know it. */
export function hideAppSecrets(redactor: Redactor, apps: readonly Pick<AppSettings, 'keys' | 'webhooks'>[]): void {
  for (const { keys, webhooks } of apps) {
    for (const { secret } of keys) redactor.addSecret(secret)
    for (const secret of webhooks.flatMap(secretsOf)) redactor.addSecret(secret)
  }
}

function secretsOf({ url, headers }: WebhookSettings): string[] {
  return [...Object.values(headers).flatMap(headerSecrets), ...addressSecrets(url)]
}

/** A header's value, and of `Authorization: Bearer TOKEN` and the like the token alone too. */
function headerSecrets(value: string): string[] {
  const token = /^\w+ +(\S+)$/.exec(value)?.[1]
  return token === undefined ? [value] : [value, token]
}

/** User, password and query of an address, as they are written and as they are meant. */
function addressSecrets(address: string): string[] {
  // The configuration accepts no other address.
  if (!URL.canParse(address)) return []
  const { username, password, search, searchParams } = new URL(address)
  const values = [...searchParams.values()].filter((value) => value.length >= queryValueCharsMin)
  return [...[username, password].flatMap(written), search.slice(1), ...values]
}

/** The password of an address of Redis, as it is written there and as it is sent. */
function passwordsOf(url: string | undefined): string[] {
  return written(/\/\/[^:]*:(.*)@/.exec(url ?? '')?.[1] ?? '')
}

function written(text: string): string[] {
  if (text === '') return []
  try {
    return [text, decodeURIComponent(text)]
  } catch {
    // Who uses it says that it is not written correctly.
    return [text]
  }
}
