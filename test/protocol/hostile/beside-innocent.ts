import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import type { ServerNode } from '../../black-box/server-node.js'
import { startHostileServer, targetOf } from './hostile-server.js'
import { Innocent } from './innocent.js'

const periodMs = 5

export interface Scene {
  /** Call it inside a test. */
  readonly server: () => ServerNode
  /** Defines the last test of a suite: the innocent client was served all the time. */
  readonly itReceivedEverything: (publishedMin: number) => void
}

/**
 * One server process and an innocent client for all tests of the file. Whatever a test does to the server: afterwards the same
 * process lives, it is no fault in its own eyes, and the innocent client has noticed nothing.
 * @param first what happens before the innocent client comes
 */
export function besideInnocent(first: (server: ServerNode) => Promise<void> = () => Promise.resolve()): Scene {
  let running: { readonly server: ServerNode; innocent?: Innocent } | undefined

  const server = (): ServerNode => {
    if (running === undefined) throw new Error('the server runs only inside a test')
    return running.server
  }
  const innocent = (): Innocent => {
    if (running?.innocent === undefined) throw new Error('the innocent client is there only inside a test')
    return running.innocent
  }

  beforeAll(async () => {
    running = { server: await startHostileServer() }
    await first(running.server)
    running.innocent = await Innocent.start(targetOf(running.server), periodMs)
  })

  afterEach(() => {
    expect(server().exit).toBeUndefined()
    expect(server().at('error')).toEqual([])
    expect(innocent().problems).toEqual([])
  })

  afterAll(() => running?.server.close())

  return {
    server,
    itReceivedEverything(publishedMin) {
      it('and the innocent connection received every event of the whole time, in order', async () => {
        const report = await innocent().finish()
        expect(report.published).toBeGreaterThan(publishedMin)
      })
    },
  }
}
