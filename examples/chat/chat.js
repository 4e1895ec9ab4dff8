/** The chat's backend: pages, sessions, the auth endpoint, and the messages that it publishes. */
import { createServer } from 'node:http'
import Pusher from 'pusher'
import { sendPage } from './pages.js'
import { login, logout, userOf } from './sessions.js'

/** Whoever has a name may enter these. A real application asks its database here. */
const rooms = new Set(['launch'])
const messageCharsMax = 500
/** What somebody who opens the page, or comes back, gets to see. */
const messagesKept = 50
const bodyBytesMax = 10_000

export class Chat {
  #belfry
  #library
  #server
  /** By room, the newest last. Kept in memory: it is an example. */
  #messages = new Map()
  #lastId = 0
  url = ''

  constructor(belfry) {
    this.#belfry = belfry
    const { host, port, appId, key, secret } = belfry
    this.#library = new Pusher({ appId, key, secret, host, port: String(port), useTLS: false })
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error) => {
        console.error(error)
        sendJson(response, 500, { error: 'the chat failed; its log says why' })
      })
    })
  }

  /** @param options.port 0 takes a free one  @param options.belfry host, port, appId, key and secret */
  static async start({ port, belfry }) {
    const chat = new Chat(belfry)
    await new Promise((resolve, reject) => chat.#server.once('error', reject).listen(port, '127.0.0.1', resolve))
    chat.url = `http://localhost:${chat.#server.address().port}`
    return chat
  }

  async #answer(request, response) {
    const { pathname, searchParams } = new URL(request.url, 'http://chat')
    const user = userOf(request)
    const asked = `${request.method} ${pathname}`
    if (asked === 'POST /login') {
      login(response, (await formOf(request)).get('name') ?? '')
      toStart(response)
    } else if (asked === 'POST /logout') {
      logout(request, response)
      toStart(response)
    } else if (asked === 'GET /settings') {
      const { port, key } = this.#belfry
      sendJson(response, 200, { port, key, you: user ?? null })
    } else if (asked === 'POST /pusher/auth' || asked === 'POST /broadcasting/auth') {
      this.#authorize(await formOf(request), user, response)
    } else if (asked === 'GET /messages') {
      const room = searchParams.get('room')
      if (mayEnter(user, room)) sendJson(response, 200, this.#messages.get(room) ?? [])
      else sendJson(response, 403, { error: 'this room is not for you' })
    } else if (asked === 'POST /messages') {
      await this.#say(request, response, user)
    } else {
      await sendPage(response, request.method, pathname)
    }
  }

  /** pusher-js and Echo ask here before they subscribe. The user is whom the session says, never whom the page says. */
  #authorize(form, user, response) {
    const [channel, socketId] = [form.get('channel_name') ?? '', form.get('socket_id') ?? '']
    if (!channel.startsWith('presence-') || !mayEnter(user, channel.slice('presence-'.length))) {
      sendJson(response, 403, { error: 'this room is not for you' })
    } else if (!isSocketId(socketId)) {
      sendJson(response, 400, { error: 'socket_id is missing' })
    } else {
      const member = { user_id: user.id, user_info: user }
      sendJson(response, 200, this.#library.authorizeChannel(socketId, channel, member))
    }
  }

  async #say(request, response, user) {
    const { room, text } = parsed(await bodyOf(request))
    if (!mayEnter(user, room)) {
      sendJson(response, 403, { error: 'this room is not for you' })
      return
    }
    if (typeof text !== 'string' || text.trim() === '') {
      sendJson(response, 400, { error: 'there is no text' })
      return
    }
    this.#lastId += 1
    const message = { id: this.#lastId, user, text: text.trim().slice(0, messageCharsMax), sentAt: Date.now() }
    // The page that sent it has it in the answer: `socket_id` leaves it out, as Laravel's toOthers() does.
    const socketId = request.headers['x-socket-id']
    const others = isSocketId(socketId) ? { socket_id: socketId } : {}
    await this.#library.trigger(`presence-${room}`, 'App\\Events\\MessageSent', message, others)
    this.#messages.set(room, [...(this.#messages.get(room) ?? []), message].slice(-messagesKept))
    sendJson(response, 200, message)
  }
}

function mayEnter(user, room) {
  return user !== undefined && rooms.has(room)
}

function isSocketId(value) {
  return /^\d+\.\d+$/.test(value ?? '')
}

/** Of a JSON object; empty when it is none. */
function parsed(text) {
  try {
    return JSON.parse(text) ?? {}
  } catch {
    return {}
  }
}

async function formOf(request) {
  return new URLSearchParams(await bodyOf(request))
}

async function bodyOf(request) {
  let text = ''
  for await (const chunk of request.setEncoding('utf8')) {
    text += chunk
    if (text.length > bodyBytesMax) throw new Error(`a body is longer than ${bodyBytesMax} characters`)
  }
  return text
}

function toStart(response) {
  response.writeHead(303, { location: '/' }).end()
}

function sendJson(response, status, value) {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
}
