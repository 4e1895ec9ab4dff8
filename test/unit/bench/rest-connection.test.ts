import { once } from 'node:events'
import { createServer } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { Faults } from '../../../bench/load/faults.js'
import { RestConnection } from '../../../bench/load/rest-connection.js'
import { signedRequest } from '../../../bench/load/target.js'
import { benchApp } from '../../../bench/servers/server.js'

const servers: { close(): void }[] = []

afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

async function serve(keepsAlive: boolean, answers = Infinity) {
  let connections = 0
  let answered = 0
  const server = createServer((request, response) => {
    answered += 1
    if (answered > answers) {
      request.socket.destroy()
      return
    }
    if (!keepsAlive) response.setHeader('Connection', 'close')
    response.setHeader('Content-Length', 2)
    response.end('{}')
  })
  server.on('connection', () => (connections += 1))
  servers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return { target: { host: '127.0.0.1', port, app: benchApp }, connections: () => connections }
}

describe('a connection for requests', () => {
  it.each([
    [true, 1],
    [false, 3],
  ])('is kept or opened anew as the server says (keeps alive: %s)', async (keepsAlive, expected) => {
    const { target, connections } = await serve(keepsAlive)
    const faults = new Faults()
    const rest = new RestConnection(target, faults)
    for (let count = 0; count < 3; count += 1) {
      const body = await rest.send(signedRequest(target, 'GET', '/channels'))
      expect(body.toString()).toBe('{}')
    }
    expect(connections()).toBe(expected)
    expect(faults.any).toBe(false)
    rest.close()
  })

  it('counts an answer that does not come as lost', async () => {
    const { target } = await serve(true, 1)
    const faults = new Faults()
    const rest = new RestConnection(target, faults)
    await rest.send(signedRequest(target, 'GET', '/channels'))
    await expect(rest.send(signedRequest(target, 'GET', '/channels'))).rejects.toThrow()
    expect(faults.counts.lost).toBe(1)
    rest.close()
  })
})
