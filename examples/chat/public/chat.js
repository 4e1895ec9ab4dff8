/** What is shown, whichever library brings it. */
import { joinWithEcho } from '/public/with-echo.js'
import { joinWithPusher } from '/public/with-pusher.js'

const typingShownMs = 6000
const typingEveryMs = 1000

const query = new URLSearchParams(location.search)
const client = query.get('client') === 'echo' ? 'echo' : 'pusher'
const room = query.get('room') ?? 'launch'
const byId = (id) => document.getElementById(id)
const members = new Map()
const messages = new Map()
/** By user id: what ends the notice when its sender goes silent. */
const typing = new Map()
let chat
let toldTypingAt = 0

const { port, key, you } = await (await fetch('/settings')).json()
byId(you === null ? 'login' : 'room').hidden = false
if (you === null) byId('name').focus()
else enter()

function enter() {
  document.title = `#${room}`
  byId('title').textContent = room
  byId('text').placeholder = `Message #${room}`
  document.querySelector(`nav a[href$="${client}"]`).setAttribute('aria-current', 'page')
  const join = client === 'echo' ? joinWithEcho : joinWithPusher
  chat = join({ port, key }, room, {
    state: showState,
    here(users) {
      members.clear()
      for (const user of users) members.set(user.id, user)
      showMembers()
      // What was said before, or while this page was away, was not sent to it.
      catchUp()
    },
    joining(user) {
      members.set(user.id, user)
      showMembers()
    },
    leaving(user) {
      members.delete(user.id)
      showMembers()
      hideTyping(user.id)
    },
    message: showMessage,
    typing: showTyping,
    refused: (status) => showState(`refused (${status})`),
  })
}

byId('form').addEventListener('submit', async (event) => {
  event.preventDefault()
  const text = byId('text').value.trim()
  if (text === '') return
  byId('text').value = ''
  toldTypingAt = 0
  const headers = { 'content-type': 'application/json' }
  // So that the server does not send it back to this page.
  if (chat.socketId() !== undefined) headers['x-socket-id'] = chat.socketId()
  const request = { method: 'POST', headers, body: JSON.stringify({ room, text }) }
  const response = await fetch('/messages', request).catch(() => undefined)
  byId('problem').textContent = response?.ok ? '' : 'Not sent. Try again in a moment.'
  if (response?.ok) showMessage(await response.json())
  else byId('text').value = text
})

byId('text').addEventListener('input', () => {
  if (toldTypingAt !== 0 && performance.now() - toldTypingAt < typingEveryMs) return
  toldTypingAt = performance.now()
  chat.whisperTyping()
})

async function catchUp() {
  const response = await fetch(`/messages?room=${encodeURIComponent(room)}`)
  if (response.ok) for (const message of await response.json()) showMessage(message)
}

function showState(state) {
  byId('state').textContent = state
  byId('state').dataset.state = state
}

function showMembers() {
  const sorted = [...members.values()].sort((a, b) => a.name.localeCompare(b.name))
  byId('count').textContent = String(sorted.length)
  byId('members').replaceChildren(
    ...sorted.map((user) => {
      const name = element('span', 'name', user.name)
      return element('li', '', face(user), name, ...(user.id === you.id ? [element('span', 'soft', 'you')] : []))
    }),
  )
}

/** Each once, in the order of the server, however it came. */
function showMessage(message) {
  if (messages.has(message.id)) return
  hideTyping(message.user.id)
  const { user, text, sentAt } = message
  const time = new Date(sentAt).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })
  const head = element('p', 'head', element('strong', '', user.name), element('time', 'soft', time))
  const item = element('li', '', face(user), element('div', '', head, element('p', 'text', text)))
  messages.set(message.id, item)
  const later = [...messages].filter(([id]) => id > message.id).sort(([a], [b]) => a - b)[0]
  byId('messages').insertBefore(item, later?.[1] ?? null)
  byId('messages').scrollTop = byId('messages').scrollHeight
}

function showTyping(userId) {
  clearTimeout(typing.get(userId))
  typing.set(
    userId,
    setTimeout(() => hideTyping(userId), typingShownMs),
  )
  showWhoTypes()
}

function hideTyping(userId) {
  clearTimeout(typing.get(userId))
  typing.delete(userId)
  showWhoTypes()
}

function showWhoTypes() {
  const names = [...typing.keys()].flatMap((id) => members.get(id)?.name ?? [])
  const who = names.length > 2 ? 'Several people' : names.join(' and ')
  const text = `${who} ${names.length === 1 ? 'is' : 'are'} typing`
  byId('typing').replaceChildren(...(names.length === 0 ? [] : [text, element('span', 'dots', '…')]))
}

function face(user) {
  const square = element('span', 'face', user.name.slice(0, 1).toUpperCase())
  square.style.setProperty('--hue', String(user.hue))
  square.setAttribute('aria-hidden', 'true')
  return square
}

/** Text stays text: nothing that a user wrote becomes HTML. */
function element(tag, className, ...children) {
  const node = document.createElement(tag)
  if (className !== '') node.className = className
  node.append(...children)
  return node
}
