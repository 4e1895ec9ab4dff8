import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

/** Below the range that the kernel takes ports of outgoing connections from: none of those can sit on it during a restart. */
const portMin = 12_000
const portMax = 32_000
const attemptsMax = 50

/** A port that nothing listens on, for what must come back on the same one. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    const port = randomInt(portMin, portMax)
    if (await isFree(port)) return port
  }
  throw new Error(`no free port after ${attemptsMax} attempts`)
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '0.0.0.0', () => server.close(() => resolve(true)))
  })
}
