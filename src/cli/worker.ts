import type { Console } from './command.js'

/**
 * What `start` runs once for every worker. No command for people, so no help lists it, and main.ts calls it without loading theirs:
 * clients may be waiting for a worker that takes the place of another.
 * @param operands the worker's number
 * @returns the exit code
 */
export async function runWorker(operands: readonly string[], console: Console): Promise<number> {
  const index = Number(operands[0])
  if (process.send === undefined || !Number.isSafeInteger(index)) {
    console.complain('belfry worker is run by belfry start: set workers in the configuration, or --workers.')
    return 2
  }
  // Nobody listens to it here: the parent says what is to be read again.
  process.on('SIGHUP', () => undefined)
  const { serveWorker } = await import('./serve-worker.js')
  return serveWorker({ index, channel: process, console })
}
