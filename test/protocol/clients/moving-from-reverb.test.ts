/**
 * Moving from Reverb by exchanging the process: the `.env` of a Laravel application as `php artisan reverb:install` leaves it, the
 * event sent with the values that config/broadcasting.php reads from it, and Echo made as resources/js/echo.js does from VITE_REVERB_*.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Echo from 'laravel-echo'
import PusherLibrary from 'pusher'
import Pusher from 'pusher-js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseDotenv } from '../../../src/config/dotenv.js'
import { AuthEndpoint } from '../../harness/auth-endpoint.js'
import { freePort } from '../../harness/free-port.js'
import { Program } from '../../harness/program.js'
import { accounts, ann, connected } from './application.js'
import { Heard } from './heard.js'

const reverbPort = 8080

/** The file: a new Laravel application's, and what the installer appends. */
function installedEnv(port: number): string {
  return `APP_NAME=Laravel
APP_ENV=local
APP_KEY=base64:c2l4dGVlbiBieXRlcyBvZiBub3RoaW5nIGF0IGFsbCE=
APP_DEBUG=true
APP_URL=http://localhost

APP_LOCALE=en
APP_MAINTENANCE_DRIVER=file
# APP_MAINTENANCE_STORE=database

PHP_CLI_SERVER_WORKERS=4
BCRYPT_ROUNDS=12

LOG_CHANNEL=stack
LOG_LEVEL=debug

DB_CONNECTION=sqlite
# DB_HOST=127.0.0.1
# DB_PASSWORD=

SESSION_DRIVER=database
BROADCAST_CONNECTION=reverb
FILESYSTEM_DISK=local
QUEUE_CONNECTION=database
CACHE_STORE=database

MEMCACHED_HOST=127.0.0.1

REDIS_CLIENT=phpredis
REDIS_HOST=127.0.0.1
REDIS_PASSWORD=null
REDIS_PORT=6379

MAIL_MAILER=log
MAIL_FROM_NAME="\${APP_NAME}"

VITE_APP_NAME="\${APP_NAME}"

REVERB_APP_ID=482910
REVERB_APP_KEY=rk5q0wzj8xkcv2mhd1te
REVERB_APP_SECRET=8smq4yv0ct2lfr6hx9bn
REVERB_HOST="localhost"
REVERB_PORT=${port}
REVERB_SCHEME=http

VITE_REVERB_APP_KEY="\${REVERB_APP_KEY}"
VITE_REVERB_HOST="\${REVERB_HOST}"
VITE_REVERB_PORT="\${REVERB_PORT}"
VITE_REVERB_SCHEME="\${REVERB_SCHEME}"
${port === reverbPort ? '' : `REVERB_SERVER_PORT=${port}\n`}`
}

describe("Reverb's .env with Belfry in Reverb's place", () => {
  let directory: string
  let server: Program
  let library: PusherLibrary
  let auth: AuthEndpoint
  let env: ReadonlyMap<string, string>
  const echoes: Echo<'reverb'>[] = []
  const value = (name: string): string => env.get(name) ?? ''

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'belfry-reverb-'))
    // Word for word, unless something else has the port on this machine.
    const port = (await isFree(reverbPort)) ? reverbPort : await freePort()
    writeFileSync(join(directory, '.env'), installedEnv(port))
    server = await Program.serve(['start', '--env-file', '.env', '--metrics-port', '0'], { directory })
    // As Laravel reads it.
    env = parseDotenv(installedEnv(port), {}).variables
    library = new PusherLibrary({
      appId: value('REVERB_APP_ID'),
      key: value('REVERB_APP_KEY'),
      secret: value('REVERB_APP_SECRET'),
      host: value('REVERB_HOST'),
      port: value('REVERB_PORT'),
      useTLS: value('REVERB_SCHEME') === 'https',
    })
    auth = await AuthEndpoint.start({ library, accounts, rule: () => ({}) })
  })
  afterAll(async () => {
    for (const echo of echoes) echo.disconnect()
    await auth?.stop()
    await server?.stop()
    rmSync(directory, { recursive: true })
  })

  /** As the published resources/js/echo.js makes it; Vite gives texts. */
  async function echo(): Promise<Echo<'reverb'>> {
    const made = new Echo<'reverb'>({
      broadcaster: 'reverb',
      key: value('VITE_REVERB_APP_KEY'),
      wsHost: value('VITE_REVERB_HOST'),
      wsPort: Number(value('VITE_REVERB_PORT')),
      wssPort: Number(value('VITE_REVERB_PORT')),
      forceTLS: value('VITE_REVERB_SCHEME') === 'https',
      enabledTransports: ['ws', 'wss'],
      Pusher,
      authEndpoint: `${auth.url}/broadcasting/auth`,
      bearerToken: ann.id,
    })
    echoes.push(made)
    await connected(made.connector.pusher)
    return made
  }

  it('listens where Reverb did, and says which variables it used', () => {
    expect(server.port).toBe(Number(value('REVERB_PORT')))
    expect(server.printed).toContain('REVERB_APP_KEY is used as BELFRY_APP_KEY.')
    expect(server.printed).not.toContain('is ignored')
    expect(server.printed).not.toContain(value('REVERB_APP_SECRET'))
  })

  it('an event on a public channel arrives', async () => {
    const page = await echo()
    const heard = new Heard<unknown>()
    const channel = page.channel('orders').listen('OrderShipped', heard.add)
    await new Promise<void>((resolve) => channel.subscribed(resolve))
    const { status } = await library.trigger('orders', 'App\\Events\\OrderShipped', { orderId: 7, socket: null })
    expect(status).toBe(200)
    expect(await heard.next()).toEqual({ orderId: 7, socket: null })
  })

  it('an event on a private channel arrives at the others', async () => {
    const [sender, other] = [await echo(), await echo()]
    const [atSender, atOther] = [new Heard<unknown>(), new Heard<unknown>()]
    await Promise.all(
      [sender, other].map((page, index) => {
        const channel = page.private('orders.7').listen('OrderShipped', (index === 0 ? atSender : atOther).add)
        return new Promise<void>((resolve) => channel.subscribed(resolve))
      }),
    )
    const toOthers = { socket_id: sender.socketId() ?? '' }
    await library.trigger('private-orders.7', 'App\\Events\\OrderShipped', { n: 1 }, toOthers)
    await library.trigger('private-orders.7', 'App\\Events\\OrderShipped', { n: 2 })
    expect(await atOther.take(2)).toEqual([{ n: 1 }, { n: 2 }])
    expect(await atSender.next()).toEqual({ n: 2 })
  })

  it('check says the same of the file word for word: port 8080, no Redis, nothing to correct', async () => {
    writeFileSync(join(directory, '.env.installed'), installedEnv(reverbPort))
    const check = await Program.run(['check', '--env-file', '.env.installed'], { directory })
    expect(check.exitCode).toBe(0)
    expect(check.printed).toContain(`\nport: ${reverbPort}\n`)
    expect(check.printed).not.toContain('\nredis:')
  })
})

/** Whether nothing listens on the port, on any address. */
function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen(port, '0.0.0.0', () => probe.close(() => resolve(true)))
  })
}
