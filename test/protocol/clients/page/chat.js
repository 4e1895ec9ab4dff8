import { joinWithEcho } from '/page/with-echo.js'
import { joinWithPusher } from '/page/with-pusher.js'

const typingShownMs = 6000
const typingEveryMs = 1000

const room = 'launch'
const byId = (id) => document.getElementById(id)
const { port, key, you } = await (await fetch('/settings')).json()
const members = new Map()
let typingTimer
let toldTypingAt = 0

const join = new URLSearchParams(location.search).get('client') === 'echo' ? joinWithEcho : joinWithPusher
const chat = join({ port, key }, room, {
  state(state) {
    byId('state').textContent = state
    byId('state').dataset.state = state
  },
  here(users) {
    members.clear()
    for (const user of users) members.set(user.id, user)
    showMembers()
  },
  joining(user) {
    members.set(user.id, user)
    showMembers()
  },
  leaving(user) {
    members.delete(user.id)
    showMembers()
  },
  message: showMessage,
  typing: showTyping,
  refused(status) {
    byId('state').textContent = `refused (${status})`
  },
})

byId('form').addEventListener('submit', async (event) => {
  event.preventDefault()
  const text = byId('text').value.trim()
  if (text === '') return
  byId('text').value = ''
  toldTypingAt = 0
  showMessage({ user: you, text })
  await fetch('/messages', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-socket-id': chat.socketId() },
    body: JSON.stringify({ room, text }),
  })
})

byId('text').addEventListener('input', () => {
  if (toldTypingAt !== 0 && performance.now() - toldTypingAt < typingEveryMs) return
  toldTypingAt = performance.now()
  chat.whisperTyping(you)
})

function showMembers() {
  const sorted = [...members.values()].sort((a, b) => a.name.localeCompare(b.name))
  byId('count').textContent = String(sorted.length)
  byId('members').replaceChildren(
    ...sorted.map((user) => {
      const name = element('span', '', user.name)
      return element('li', '', face(user), name, ...(user.id === you.id ? [element('span', 'you', 'you')] : []))
    }),
  )
}

function showMessage({ user, text }) {
  if (byId('typing').dataset.user === user.id) showTyping(undefined)
  const body = element('div', '', element('strong', '', user.name), text)
  byId('messages').append(element('li', '', face(user), body))
}

function showTyping(user) {
  clearTimeout(typingTimer)
  byId('typing').textContent = user === undefined ? '' : `${user.name} is typing…`
  byId('typing').dataset.user = user?.id ?? ''
  if (user !== undefined) typingTimer = setTimeout(() => showTyping(undefined), typingShownMs)
}

function face(user) {
  const square = element('span', 'face', user.name.slice(0, 1))
  square.style.setProperty('--hue', String(user.hue))
  return square
}

function element(tag, className, ...children) {
  const node = document.createElement(tag)
  if (className !== '') node.className = className
  node.append(...children)
  return node
}
