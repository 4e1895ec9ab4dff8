import { spawn, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { endTogether } from '../../harness/end-together.js'
import { appId, credentials, type TestServer } from '../../harness/test-server.js'

const program = join(import.meta.dirname, '../../../examples/chat/main.js')

/** examples/chat, started as its README says. */
export class ChatProgram {
  readonly url: string
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, url: string) {
    this.#child = child
    this.url = url
  }

  /** @param server the Belfry that it publishes to, and its pages connect to */
  static async start(server: TestServer): Promise<ChatProgram> {
    const child = spawn(process.execPath, [program], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        PATH: process.env['PATH'] ?? '',
        PORT: '0',
        PUSHER_PORT: String(server.running.port),
        PUSHER_APP_ID: appId,
        PUSHER_APP_KEY: credentials.key,
        PUSHER_APP_SECRET: credentials.secret,
      },
    })
    endTogether(child)
    for await (const line of createInterface({ input: child.stdout })) {
      const url = /http:\S+/.exec(line)?.[0]
      if (url !== undefined) return new ChatProgram(child, url)
    }
    throw new Error('the chat ended before it printed its address')
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.kill()
    await ended
  }
}
