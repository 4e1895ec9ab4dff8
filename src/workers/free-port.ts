import { createServer } from 'node:net'
import { listenProblem } from '../base/listen-problem.js'

/**
 * Finds the port that all workers then share. Taken alone for a moment: sharing would let a left-over process keep its part of
 * the connections unnoticed.
 * @param port 0 = any that is free
 * @throws (rejects with) Error with one sentence when it cannot be used
 */
export function freePort(host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (error) => reject(new Error(listenProblem(host, port), { cause: error })))
    server.listen({ host, port, exclusive: true }, () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : port))
    })
  })
}
