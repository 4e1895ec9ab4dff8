/** That nothing waits in the proxy: not the body of a request, not the first part of an answer; and what is kept open. */
import { connect } from 'node:net'
import { Agent, get } from 'node:http'
import { expect } from 'vitest'
import { eventually } from '../harness/eventually.js'
import { appId } from '../harness/test-server.js'
import type { Stage } from './stage.js'

const answerMegabytes = 64

/** A request with a wrong signature is refused while its body is still on the way, so nobody can fill the proxy's disk with it. */
export async function refusedEarly(stage: Stage): Promise<void> {
  const proxy = await stage.proxy([await stage.server()])
  const socket = connect({ host: '127.0.0.1', port: proxy.port })
  stage.onEnd(() => socket.destroy())
  let received = ''
  socket.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')))
  socket.on('error', () => undefined)
  const head = `POST /apps/${appId}/events?auth_key=none&auth_signature=none HTTP/1.1\r\nHost: 127.0.0.1:${proxy.port}\r\n`
  socket.write(`${head}Content-Type: application/json\r\nContent-Length: 5000000\r\n\r\n${'x'.repeat(100_000)}`)
  await eventually('an answer before the body is there', () => received.startsWith('HTTP/1.1 401 '), 3000)
}

/** The first part of an answer is passed on before there is a second. Belfry answers in one part today: another server takes its place. */
export async function answerAtOnce(stage: Stage): Promise<void> {
  let finish: () => void = () => undefined
  const upstream = await stage.upstream((request, response) => {
    // What asks for readiness is not the caller.
    if (request.url === '/ready') return void response.end()
    response.write('the first part')
    finish = () => response.end()
  })
  const proxy = await stage.proxyTo([upstream])
  let received = ''
  const request = get({ host: '127.0.0.1', port: proxy.port, path: '/', agent: false }, (response) => {
    response.on('data', (chunk: Buffer) => (received += chunk.toString()))
  })
  request.on('error', () => undefined)
  stage.onEnd(() => request.destroy())
  await eventually('the first part', () => received === 'the first part', 2000)
  finish()
}

/** What a client does not read waits at the server, which knows its bounds, and is not piled up in the proxy or on its disk. */
export async function slowReader(stage: Stage): Promise<void> {
  let sentMegabytes = 0
  const upstream = await stage.upstream((request, response) => {
    if (request.url === '/ready') return void response.end()
    const megabyte = Buffer.alloc(1_048_576)
    const send = () => {
      while (sentMegabytes < answerMegabytes) {
        sentMegabytes += 1
        if (!response.write(megabyte)) return void response.once('drain', send)
      }
      response.end()
    }
    send()
  })
  const proxy = await stage.proxyTo([upstream])
  const socket = connect({ host: '127.0.0.1', port: proxy.port })
  stage.onEnd(() => socket.destroy())
  socket.on('error', () => undefined)
  socket.pause()
  socket.write(`GET / HTTP/1.1\r\nHost: 127.0.0.1:${proxy.port}\r\n\r\n`)
  let before = 0
  await eventually('the answer stands still', async () => {
    before = sentMegabytes
    await new Promise((resolve) => setTimeout(resolve, 500))
    return before > 0 && sentMegabytes === before
  })
  // The kernel's buffers of two connections take some of it.
  expect(sentMegabytes, 'MB that left the server unread').toBeLessThan(answerMegabytes / 2)
}

/** Triggers do not need a connection each between proxy and server. */
export async function keptConnections(stage: Stage): Promise<void> {
  const ports = new Set<number>()
  const upstream = await stage.upstream((request, response) => {
    if (request.url !== '/ready') ports.add(request.socket.remotePort ?? 0)
    response.end('{}')
  })
  const proxy = await stage.proxyTo([upstream])
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  stage.onEnd(() => agent.destroy())
  for (let count = 0; count < 10; count += 1) {
    await new Promise((resolve, reject) => {
      const request = get({ host: '127.0.0.1', port: proxy.port, path: '/', agent }, (response) => {
        response.resume().on('end', resolve)
      })
      request.on('error', reject)
    })
  }
  expect(ports.size, 'connections for 10 requests').toBeLessThanOrEqual(2)
}
