import { checkServer, permissionProblem, UnfitError } from './capabilities.js'
import { LinkError, type Script } from './link.js'
import { refusalKind } from './reply-errors.js'
import type { ServerCalls } from './server-calls.js'

/** Of each command of the greeting. */
const greetingMs = 3000

export interface Greeting {
  readonly calls: ServerCalls
  readonly cluster: boolean
  /** A channel that this node may publish to. */
  readonly channel: string
  readonly scripts: readonly Script[]
  /** Whether the server has been found fit before. */
  readonly fit: boolean
}

/**
 * What a new command connection begins with: is the server fit, and does it know the scripts?
 * @throws UnfitError when it is not
 * @throws LinkError when it does not answer, or cannot do it now
 */
export async function greet({ calls, cluster, channel, scripts, fit }: Greeting): Promise<void> {
  try {
    if (!fit) await checkServer((name, args) => calls.send(name, [...args], greetingMs), cluster, channel)
    await Promise.all(scripts.map((script) => calls.load(script, greetingMs)))
  } catch (error) {
    if (!(error instanceof LinkError) || error.kind !== 'refused') throw error
    const noperm = refusalKind(error.message) === 'noperm'
    throw new UnfitError(noperm ? permissionProblem(error.message, 'SCRIPT LOAD') : error.message)
  }
}
