/** Starts the chat: `node examples/chat/main.js`. Where Belfry is and the app's credentials come from the environment, see README.md. */
import { existsSync, readFileSync } from 'node:fs'
import { Chat } from './chat.js'

const { env } = process
/** What `npm start` of this repository keeps; nobody has to copy it while both run on one machine. */
const kept = new URL('../../.belfry/credentials.json', import.meta.url)
const known = existsSync(kept) ? JSON.parse(readFileSync(kept, 'utf8')) : {}

const belfry = {
  host: env.PUSHER_HOST ?? '127.0.0.1',
  port: Number(env.PUSHER_PORT ?? 6001),
  appId: env.PUSHER_APP_ID ?? known.id,
  key: env.PUSHER_APP_KEY ?? known.key,
  secret: env.PUSHER_APP_SECRET ?? known.secret,
}
if (belfry.appId === undefined || belfry.key === undefined || belfry.secret === undefined) {
  console.error(
    'No credentials: start Belfry first (npm start), or set PUSHER_APP_ID, PUSHER_APP_KEY and PUSHER_APP_SECRET.',
  )
  process.exit(1)
}
const chat = await Chat.start({ port: Number(env.PORT ?? 3000), belfry })
// A cookie belongs to a name, and these are two names for one machine.
console.log(`Open ${chat.url}\nand ${chat.url.replace('localhost', '127.0.0.1')} to be somebody else.`)
