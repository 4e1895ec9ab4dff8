import { get as httpGet } from 'node:http'
import { get as httpsGet } from 'node:https'
import { loadConfig } from '../config/load.js'
import { CommandError, sourceFlags, type Call, type Command, type Console } from './command.js'
import { configurationInput } from './configuration.js'
import { localAddress, originOf } from './target.js'

const timeoutMs = 5000

/** For container probes: exit code 0 when the server of this machine is ready. */
export const healthcheckCommand: Command = {
  name: 'healthcheck',
  summary: 'Ask the server of this machine whether it is ready: exit code 0 or 1.',
  flags: [
    { name: 'url', value: 'URL', description: 'Address to ask (default: /ready on the port of the configuration).' },
    ...sourceFlags,
  ],
  takesConfiguration: true,
  examples: [
    ['healthcheck', 'Exit code 0 when it is ready.'],
    ['healthcheck --url http://127.0.0.1:6001/live', 'Ask something else.'],
  ],
  async run(call, console) {
    const url = call.flags['url'] ?? readyUrl(call, console)
    const answer = await ask(url)
    if (answer.status === 200) {
      console.print('ready')
      return 0
    }
    console.complain(`${url}: ${answer.text}`)
    return 1
  },
}

function readyUrl(call: Call, console: Console): string {
  const loaded = loadConfig({
    ...configurationInput(call, console),
    // The app does not matter here, and a server started with --dev has none in its configuration.
    appWhenNone: () => ({ id: 'healthcheck', key: 'healthcheck', secret: 'not used to sign anything' }),
  })
  if (!loaded.ok) throw new CommandError(loaded.errors.join('\n'))
  if (loaded.config.port === 0) throw new CommandError('The port is 0, so any port may be meant: give --url.')
  return `${originOf(localAddress(loaded.config), 'http')}/ready`
}

function ask(url: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve) => {
    const fail = (reason: string) => resolve({ status: 0, text: reason })
    if (!/^https?:\/\//.test(url) || !URL.canParse(url)) {
      fail('not an http:// or https:// address')
      return
    }
    // The certificate carries the public name, not that of the loopback.
    const request = url.startsWith('https:') ? httpsGet(url, { rejectUnauthorized: false }) : httpGet(url)
    request.setTimeout(timeoutMs, () => request.destroy(new Error(`no answer within ${timeoutMs} ms`)))
    request.on('error', (error) => fail(error.message))
    request.on('response', (response) => {
      response.resume()
      const status = response.statusCode ?? 0
      resolve({ status, text: `answered ${status}` })
    })
  })
}
