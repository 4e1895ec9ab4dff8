import { readTextFile } from './read-text-file.js'

/** The file descriptors this process may hold at once (the soft limit, which Node has raised to the hard one), if there is a limit. */
export function openFilesMax(read: (path: string) => string | undefined = readTextFile): number | undefined {
  const line = /^Max open files\s+(\d+|unlimited)\s/m.exec(read('/proc/self/limits') ?? '')
  const limit = Number(line?.[1])
  return Number.isSafeInteger(limit) && limit > 0 ? limit : undefined
}

/** Descriptors kept back from connections: listeners, logs, REST callers, Redis, and half of them webhooks. */
const descriptorsReserved = 256
const webhookRequestsReserved = descriptorsReserved / 2
/** With so many descriptors it is not the connections that use them up: a single process has not the memory. */
const descriptorsPlenty = 65_536
const webhookRequestsPlenty = 1024

/**
 * Connections that `capacity.connections: 0` allows: the descriptor limit less what the process needs for itself.
 * @param filesMax the answer of `openFilesMax`; without a limit there is none here either
 */
export function connectionsFromOpenFiles(filesMax: number | undefined): number {
  return filesMax === undefined ? Number.POSITIVE_INFINITY : Math.max(1, filesMax - descriptorsReserved)
}

/**
 * Requests to webhooks that may be open at once, at all addresses together. One address has up to 16, and one that hangs soon has
 * few, because what waits for another attempt is not open.
 * @param filesMax the answer of `openFilesMax`
 */
export function webhookRequestsFromOpenFiles(filesMax: number | undefined): number {
  return filesMax === undefined || filesMax >= descriptorsPlenty ? webhookRequestsPlenty : webhookRequestsReserved
}
