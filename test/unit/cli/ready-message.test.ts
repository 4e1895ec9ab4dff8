/* eslint-disable no-template-curly-in-string -- ${NAME} is how .env files refer to each other */
import { describe, expect, it } from 'vitest'
import { pasteText, readyLine, type ReadyServer } from '../../../src/cli/ready-message.js'
import { appVariables, configOf } from '../config/load-fixture.js'

function server(environment: Record<string, string> = {}, changes: Partial<ReadyServer> = {}): ReadyServer {
  const config = configOf({ environment: { ...appVariables, ...environment } })
  return { config, port: 6001, metricsPort: 9601, publicAddress: undefined, generatedApp: true, ...changes }
}

const tls = { BELFRY_TLS_CERT_FILE: 'c', BELFRY_TLS_KEY_FILE: 'k' }

describe('the line that says it is ready', () => {
  it('names the addresses', () => {
    expect(readyLine(server(), '1.2.3')).toEqual({
      text: 'Belfry 1.2.3 is ready: ws://127.0.0.1:6001 and http://127.0.0.1:6001, metrics on http://127.0.0.1:9601/metrics',
      fields: {
        host: '0.0.0.0',
        port: 6001,
        http: 'http://127.0.0.1:6001',
        ws: 'ws://127.0.0.1:6001',
        metrics: 'http://127.0.0.1:9601/metrics',
      },
    })
  })

  it('names the ports that were found, TLS and the prefix, and no metrics when they are off', () => {
    const { text } = readyLine(
      server({ ...tls, BELFRY_HOST: '::', BELFRY_PATH_PREFIX: '/ws' }, { port: 7, metricsPort: undefined }),
      '1',
    )
    expect(text).toBe('Belfry 1 is ready: wss://[::1]:7/ws and https://[::1]:7/ws')
  })
})

describe('what a developer pastes', () => {
  it('are the lines for both connections of Laravel, for Echo and for pusher-js', () => {
    expect(
      pasteText(server())
        .split('\n')
        .map((line) => line.trim())
        .filter((line) => line !== ''),
    ).toEqual([
      'For Laravel, in .env:',
      'BROADCAST_CONNECTION=reverb',
      'REVERB_APP_ID=1',
      'REVERB_APP_KEY=key-1',
      'REVERB_APP_SECRET=a secret of some length',
      'REVERB_HOST=127.0.0.1',
      'REVERB_PORT=6001',
      'REVERB_SCHEME=http',
      'VITE_REVERB_APP_KEY="${REVERB_APP_KEY}"',
      'VITE_REVERB_HOST="${REVERB_HOST}"',
      'VITE_REVERB_PORT="${REVERB_PORT}"',
      'VITE_REVERB_SCHEME="${REVERB_SCHEME}"',
      'or with the pusher connection:',
      'BROADCAST_CONNECTION=pusher',
      'PUSHER_APP_ID=1',
      'PUSHER_APP_KEY=key-1',
      'PUSHER_APP_SECRET=a secret of some length',
      'PUSHER_HOST=127.0.0.1',
      'PUSHER_PORT=6001',
      'PUSHER_SCHEME=http',
      'VITE_PUSHER_APP_KEY="${PUSHER_APP_KEY}"',
      'VITE_PUSHER_HOST="${PUSHER_HOST}"',
      'VITE_PUSHER_PORT="${PUSHER_PORT}"',
      'VITE_PUSHER_SCHEME="${PUSHER_SCHEME}"',
      'For Laravel Echo:',
      'new Echo({',
      "broadcaster: 'reverb',",
      "key: 'key-1',",
      "cluster: '',",
      "wsHost: '127.0.0.1',",
      'wsPort: 6001,',
      'wssPort: 6001,',
      'forceTLS: false,',
      "enabledTransports: ['ws', 'wss'],",
      '})',
      'For pusher-js:',
      "new Pusher('key-1', {",
      "cluster: '',",
      "wsHost: '127.0.0.1',",
      'wsPort: 6001,',
      'wssPort: 6001,',
      'forceTLS: false,',
      "enabledTransports: ['ws', 'wss'],",
      '})',
    ])
  })

  it('holds no secret that was configured', () => {
    const text = pasteText(server({}, { generatedApp: false }))
    expect(text).not.toContain('a secret of some length')
    expect(text).toContain('REVERB_APP_SECRET=# the secret of app "1"')
  })

  it('names the public address, and its usual port when none is given', () => {
    const publicAddress = { host: 'ws.example.com', port: undefined, scheme: 'https' } as const
    const text = pasteText(server({}, { publicAddress }))
    for (const part of [
      'REVERB_HOST=ws.example.com',
      'REVERB_PORT=443',
      'REVERB_SCHEME=https',
      'wssPort: 443',
      'forceTLS: true',
    ]) {
      expect(text).toContain(part)
    }
  })

  it('names TLS and the path prefix', () => {
    const text = pasteText(server({ ...tls, BELFRY_PATH_PREFIX: '/ws' }))
    for (const part of ["wsPath: '/ws'", "'path' => '/ws'", 'forceTLS: true', 'REVERB_SCHEME=https'])
      expect(text).toContain(part)
  })
})
