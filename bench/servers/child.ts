/** Starts a Node.js program as a child process that serves on a given port. */
import { spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { get } from 'node:http'
import { createServer } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { benchApp } from './server.js'
import type { RunningServer, StartOptions } from './server.js'

const host = '127.0.0.1'
const readyMs = 15_000
const endMs = 5_000
const outputCharsMax = 4_000

/**
 * @param script path and arguments behind `node`
 * @param readyPath answered with 200 once the server serves
 */
export async function startNode(
  script: readonly string[],
  port: number,
  readyPath: string,
  { nodeArguments }: StartOptions,
): Promise<RunningServer> {
  const child = spawn(process.execPath, [...nodeArguments, ...script], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // Nothing of the caller's environment configures a measured server.
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], NODE_ENV: 'production' },
  })
  const ended = once(child, 'exit')
  const killAlong = () => child.kill('SIGKILL')
  process.once('exit', killAlong)
  let output = ''
  const keep = (part: Buffer) => (output = `${output}${part.toString()}`.slice(-outputCharsMax))
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  const stop = async (gently: boolean) => {
    child.kill(gently ? 'SIGTERM' : 'SIGKILL')
    const timer = setTimeout(killAlong, endMs)
    await ended
    clearTimeout(timer)
    process.removeListener('exit', killAlong)
  }
  const deadline = performance.now() + readyMs
  while (!(await answers(port, readyPath))) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}: ${output}`)
    if (performance.now() > deadline) {
      await stop(false)
      throw new Error(`the server was not ready within ${readyMs / 1000} s: ${output}`)
    }
    await wait(25)
  }
  if (child.pid === undefined) throw new Error('the server has no process id')
  return {
    targets: [{ host, port, app: benchApp }],
    parts: [{ name: 'node', pid: child.pid }],
    output: () => output,
    stop,
  }
}

/** A free port below the range the kernel hands out, so that no connection of the generator can sit on it. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const port = randomInt(20_000, 32_000)
    if (await isFree(port)) return port
  }
  throw new Error('no free port between 20000 and 32000')
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, host, () => server.close(() => resolve(true)))
  })
}

/** Whether a GET is answered with 200 now. */
export function answers(port: number, path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get({ host, port, path, agent: false, timeout: 1_000 }, (response) => {
      response.resume()
      resolve(response.statusCode === 200)
    })
    request.on('timeout', () => request.destroy())
    request.on('error', () => resolve(false))
  })
}
