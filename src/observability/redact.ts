/** What stands where a secret, a signature, an auth token or a payload stood. */
export const redacted = '[redacted]'

/** Longer texts are cut before they are searched: a log line is for people, not a store. */
const inputCharsMax = 16_384
const outputCharsMax = 4096
const keyCharsMax = 100
const depthMax = 5
const entriesMax = 50
/** Values in one log line, however they are nested (a small graph can unfold into a huge tree). */
const valuesMax = 500
/** Shorter "secrets" would blank ordinary words out of every line, and protect nothing. */
const secretCharsMin = 4
/** Every re-keyed app adds a secret; the oldest is forgotten above this. */
const secretsMax = 20_000
/** A cut text may end in the first part of a signature (64 hex digits) or of a secret. */
const signatureChars = 64

/** Names compared in lower case without `_`, `-` and spaces; see `isSecretKey`. */
const secretKeys = new Set([
  'auth',
  'authorization',
  'body',
  'channeldata',
  'cookie',
  'data',
  'frame',
  'pass',
  'payload',
  'privatekey',
  'pwd',
  'setcookie',
  'userdata',
  'userinfo',
  'watchlist',
])
const secretKeyEnd = /(?:secret|password|passphrase|token|signature|credential)s?$/

/**
 * Makes anything fit for a log: plain data of bounded size without secrets, signatures, auth tokens and payloads. Known secret
 * values are found wherever they stand; unknown ones by the name they stand under. It reads nothing but its arguments and never throws.
 */
export class Redactor {
  readonly #secrets = new Set<string>()
  #secretCharsLongest = signatureChars

  /** Registers a value (an app's secret, a password of Redis) that must never be written. Texts below 4 characters are ignored. */
  addSecret(value: string): void {
    if (value.length < secretCharsMin) return
    // The same secret as it stands in a URL and inside JSON.
    for (const form of [value, encodeURIComponentSafe(value), JSON.stringify(value).slice(1, -1)]) {
      this.#secrets.add(form)
      this.#secretCharsLongest = Math.max(this.#secretCharsLongest, form.length)
    }
    for (const oldest of this.#secrets) {
      if (this.#secrets.size <= secretsMax) break
      this.#secrets.delete(oldest)
    }
  }

  /** A text without secrets, at most 4096 characters. */
  text(value: string): string {
    if (value.length <= inputCharsMax) return shorten(this.#clean(value))
    // What may be the beginning of a secret at the cut goes with it.
    const cleaned = this.#clean(value.slice(0, inputCharsMax))
    return shorten(`${cleaned.slice(0, Math.max(0, cleaned.length - this.#secretCharsLongest))}…`)
  }

  /** The fields of a log line as plain data that JSON can carry. */
  fields(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
    const plain = this.#plain(fields, 0, { valuesLeft: valuesMax })
    return isRecord(plain) ? plain : { fields: plain }
  }

  #clean(value: string): string {
    let text = value
    for (const secret of this.#secrets) {
      if (text.includes(secret)) text = text.replaceAll(secret, redacted)
    }
    return withoutSecretPatterns(text)
  }

  #plain(value: unknown, depth: number, budget: Budget): unknown {
    budget.valuesLeft -= 1
    if (budget.valuesLeft < 0) return '[left out]'
    switch (typeof value) {
      case 'string':
        return this.text(value)
      case 'number':
        return Number.isFinite(value) ? value : String(value)
      case 'bigint':
        return String(value)
      case 'boolean':
      case 'undefined':
        return value
      case 'function':
      case 'symbol':
        return `[${typeof value}]`
      case 'object':
        return value === null ? null : this.#plainObjectContained(value, depth, budget)
    }
  }

  /** A getter or a proxy of the value may throw; the log must not. */
  #plainObjectContained(value: object, depth: number, budget: Budget): unknown {
    try {
      return this.#plainObject(value, depth, budget)
    } catch {
      return '[unreadable]'
    }
  }

  #plainObject(value: object, depth: number, budget: Budget): unknown {
    if (depth >= depthMax) return Array.isArray(value) ? '[array]' : '[object]'
    if (value instanceof Error) return this.#error(value, depth, budget)
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString()
    if (value instanceof URL) return this.text(value.href)
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`
    if (Array.isArray(value) || value instanceof Set) return this.#items(value, depth, budget)
    return this.#entries(value instanceof Map ? value : ownEntries(value), depth, budget)
  }

  #items(items: Iterable<unknown>, depth: number, budget: Budget): unknown[] {
    const plain: unknown[] = []
    for (const item of items) {
      if (plain.length >= entriesMax) {
        plain.push('[left out]')
        break
      }
      plain.push(this.#plain(item, depth + 1, budget))
    }
    return plain
  }

  #entries(entries: Iterable<readonly [unknown, unknown]>, depth: number, budget: Budget): Record<string, unknown> {
    const plain: [string, unknown][] = []
    for (const [key, value] of entries) {
      if (plain.length >= entriesMax) {
        plain.push(['…', '[left out]'])
        break
      }
      const name = typeof key === 'string' ? key : typeof key
      if (value !== undefined) plain.push(this.#entry(name, value, depth, budget))
    }
    // Not by assignment: a key `__proto__` must become a property.
    return Object.fromEntries(plain)
  }

  #entry(name: string, value: unknown, depth: number, budget: Budget): [string, unknown] {
    const plain = isSecretKey(name) ? redacted : this.#plain(value, depth + 1, budget)
    return [this.text(name).slice(0, keyCharsMax), plain]
  }

  /** Type, message, code and stack only: other properties of an error hold requests, replies and commands. */
  #error(error: Error, depth: number, budget: Budget): Record<string, unknown> {
    const plain: Record<string, unknown> = {
      type: this.#plain(error.name, depth + 1, budget),
      message: this.#plain(error.message, depth + 1, budget),
    }
    if ('code' in error && (typeof error.code === 'string' || typeof error.code === 'number')) {
      plain['code'] = this.#plain(error.code, depth + 1, budget)
    }
    if (error.stack !== undefined) plain['stack'] = this.#plain(error.stack, depth + 1, budget)
    if (error.cause !== undefined) plain['cause'] = this.#plain(error.cause, depth + 1, budget)
    if (error instanceof AggregateError) plain['errors'] = this.#plain(error.errors, depth + 1, budget)
    return plain
  }
}

interface Budget {
  valuesLeft: number
}

/** Whether what stands under this name is never written. */
function isSecretKey(name: string): boolean {
  const plain = name
    .slice(0, keyCharsMax)
    .toLowerCase()
    .replaceAll(/[_\-\s]/g, '')
  return secretKeys.has(plain) || secretKeyEnd.test(plain)
}

/** A value after a name: a JSON string, a quoted one, escaped or nested JSON (to the end of the line), or a bare word. */
const valuePattern = String.raw`(\[redacted\]|"(?:[^"\\]|\\[^])*(?:"|$)|'[^']*(?:'|$)|[\\{[][^\n]*|[^&\s"'<>,;)]+)`
/** `secret: x`, `APP_SECRET=x`, `"accessToken":"x"`: the names that mean a secret in any text. */
const namedSecret = new RegExp(
  String.raw`(secret|password|passphrase|token|signature)(\\*["']?\s*[:=]\s*)${valuePattern}`,
  'gi',
)
/** `auth=x`, `"data":"x"`: ordinary words unless a value is plainly assigned. */
const namedPayload = new RegExp(
  String.raw`(?<![a-z0-9])(auth|data|user_?data|channel_?data|user_?info)(\\*["']\s*:\s*|=)${valuePattern}`,
  'gi',
)
const urlPassword = /(\/\/[^\s/:@"']{0,256}):[^\s/"']+@/g
const credentials = /\b(Bearer|Basic) {1,4}[\w.~+/=-]{8,}/gi
const signature = /[0-9a-f]{64,}/gi
const privateKey = /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[^]*?(?:-----END|$)/g
/** Node quotes the text that it could not parse. */
const jsonErrorMark = ' is not valid JSON'
const jsonErrorQuote = /Unexpected [^]* is not valid JSON/g

function withoutSecretPatterns(text: string): string {
  const named = text
    .replace(namedSecret, `$1$2${redacted}`)
    .replace(namedPayload, `$1$2${redacted}`)
    .replace(urlPassword, `$1:${redacted}@`)
    .replace(credentials, `$1 ${redacted}`)
    .replace(signature, redacted)
    .replace(privateKey, redacted)
  return named.includes(jsonErrorMark) ? named.replace(jsonErrorQuote, 'Unexpected input, not valid JSON') : named
}

function shorten(text: string): string {
  return text.length <= outputCharsMax ? text : `${text.slice(0, outputCharsMax - 1)}…`
}

function* ownEntries(value: object): Iterable<readonly [string, unknown]> {
  for (const key of Object.keys(value)) yield [key, readOwn(value, key)]
}

function readOwn(value: object, key: string): unknown {
  try {
    return Reflect.get(value, key)
  } catch {
    return '[unreadable]'
  }
}

/** `encodeURIComponent` throws on a lone surrogate. */
function encodeURIComponentSafe(value: string): string {
  return encodeURIComponent(value.replaceAll(/[\ud800-\udfff]/gu, '\ufffd'))
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
