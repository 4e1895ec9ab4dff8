/** Who somebody is: the name that they gave, under a cookie that nobody can guess. There are no passwords; it is an example. */
import { randomUUID } from 'node:crypto'

const nameCharsMax = 24
const cookie = 'session'
/** Above, whoever came first has to give a name again. */
const sessionsMax = 1000

/** By cookie. What others see of somebody is the user, and no more. */
const sessions = new Map()

/** @returns the user, or undefined for a name that cannot be shown */
export function login(response, text) {
  const name = text.normalize('NFC').trim().replace(/\s+/g, ' ')
  if (!/^[\p{L}\p{N}][\p{L}\p{N}\p{M} .'-]*$/u.test(name) || name.length > nameCharsMax) return undefined
  const user = { id: randomUUID(), name, hue: hueOf(name) }
  const session = randomUUID()
  sessions.set(session, user)
  if (sessions.size > sessionsMax) sessions.delete(sessions.keys().next().value)
  response.setHeader('set-cookie', `${cookie}=${session}; Path=/; HttpOnly; SameSite=Lax`)
  return user
}

export function logout(request, response) {
  sessions.delete(sessionOf(request))
  response.setHeader('set-cookie', `${cookie}=; Path=/; Max-Age=0`)
}

/** The user as members of the channel see them, or undefined. */
export function userOf(request) {
  return sessions.get(sessionOf(request))
}

function sessionOf(request) {
  const pairs = (request.headers.cookie ?? '').split('; ').map((pair) => pair.split('='))
  return pairs.find(([name]) => name === cookie)?.[1]
}

/** A colour, in degrees; names that differ in one letter are far apart. */
function hueOf(name) {
  let hash = 0
  for (const character of name) hash = (Math.imul(hash, 31) + character.codePointAt(0)) >>> 0
  return Math.round((hash * 137.508) % 360)
}
