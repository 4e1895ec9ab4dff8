/** Credentials for trying things out: random, made once per directory, readable only by their owner. */
import { randomBytes, randomInt } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AppCredentials } from '../config/environment-app.js'
import { CommandError } from './command.js'

const folder = '.belfry'
const file = 'credentials.json'

/** Where they are kept, for people. */
export const devAppPath = `${folder}/${file}`

/** As long as those of the hosted service, and the secret longer. */
export function randomCredentials(): AppCredentials {
  return {
    id: String(randomInt(100_000, 1_000_000)),
    key: randomBytes(10).toString('hex'),
    secret: randomBytes(20).toString('hex'),
  }
}

/** The credentials kept in this directory; makes them the first time. @throws CommandError when they cannot be read or kept */
export function keptCredentials(directory: string): AppCredentials {
  return readCredentials(directory) ?? makeCredentials(directory)
}

/** The credentials kept in this directory, if there are any. @throws CommandError when they cannot be read */
export function readCredentials(directory: string): AppCredentials | undefined {
  const path = join(directory, folder, file)
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw new CommandError(
      `${devAppPath} cannot be read (${codeOf(error)}): it must belong to the user who starts Belfry.`,
    )
  }
  const credentials = decode(text)
  if (credentials === undefined)
    throw new CommandError(`${devAppPath} is damaged: remove it, and new credentials are made.`)
  return credentials
}

function makeCredentials(directory: string): AppCredentials {
  const credentials = randomCredentials()
  try {
    mkdirSync(join(directory, folder), { recursive: true, mode: 0o700 })
    const path = join(directory, folder, file)
    writeFileSync(path, `${JSON.stringify(credentials, undefined, 2)}\n`, { mode: 0o600, flag: 'wx' })
    // The mode above is narrowed by the umask, which could have taken the owner's own rights.
    chmodSync(path, 0o600)
  } catch (error) {
    // Another start was faster.
    const others = codeOf(error) === 'EEXIST' ? readCredentials(directory) : undefined
    if (others !== undefined) return others
    throw new CommandError(
      `${devAppPath} cannot be written (${codeOf(error)}), so a restart would have other credentials: set BELFRY_APP_ID, BELFRY_APP_KEY and BELFRY_APP_SECRET, or start in a directory that can be written to.`,
    )
  }
  return credentials
}

function decode(text: string): AppCredentials | undefined {
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof content !== 'object' || content === null) return undefined
  if (!('id' in content && 'key' in content && 'secret' in content)) return undefined
  const { id, key, secret } = content
  return typeof id === 'string' && typeof key === 'string' && typeof secret === 'string'
    ? { id, key, secret }
    : undefined
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
}
