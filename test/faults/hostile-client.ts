/**
 * The hostile client of R21, a process of its own: what it spends on 20 MB frames must not show in the latency of others.
 * `PORT SECONDS`; every bad frame and request of test/protocol/hostile in a loop. Sends its parent `{ attacks }` at the end.
 */
import { Attacker } from '../protocol/hostile/attacker.js'
import { badFrames, type BadFrame } from '../protocol/hostile/bad-frames.js'
import { badRequests, type BadRequest } from '../protocol/hostile/bad-requests.js'
import { credentials } from '../protocol/hostile/hostile-server.js'
import { sleep, timeUntil } from '../black-box/waiting.js'

const answerMs = 2000
/** A connection whose attack is over may stay; so many do, and are dropped without a word later. */
const lingeringMax = 20

const port = Number(process.argv[2])
const endsAtMs = performance.now() + Number(process.argv[3]) * 1000
const lingering: Attacker[] = []
let attacks = 0

for (let index = 0; performance.now() < endsAtMs; index += 1) {
  const [frame, request] = [badFrames[index % badFrames.length], badRequests[index % badRequests.length]]
  if (frame !== undefined) await attempt(() => attackWithFrame(frame))
  if (request !== undefined) await attempt(() => attackWithRequest(request))
}
// Connections of failed attacks may still be open and would keep this process alive.
process.send?.({ attacks }, () => process.exit(0))

async function attackWithFrame(bad: BadFrame): Promise<Attacker> {
  const attacker = await Attacker.session(port, credentials)
  for (const channel of bad.after ?? []) attacker.sendText(subscribeText(attacker, channel))
  const bytes = bad.bytes({
    socketId: attacker.socketId,
    channelAuth: (channel, channelData) => attacker.channelAuth(channel, channelData),
    userAuth: (userData) => attacker.userAuth(userData),
  })
  if (typeof bytes === 'string') attacker.sendText(bytes)
  else attacker.write(bytes)
  const before = attacker.texts.length
  await timeUntil(() => attacker.ended || attacker.closeCode !== undefined || attacker.texts.length > before, 50, 5)
  return attacker
}

function subscribeText(attacker: Attacker, channel: string): string {
  const channelData = channel.startsWith('presence-') ? '{"user_id":"hostile"}' : undefined
  const auth = attacker.channelAuth(channel, channelData)
  return JSON.stringify({ event: 'pusher:subscribe', data: { channel, auth, channel_data: channelData } })
}

async function attackWithRequest(bad: BadRequest): Promise<Attacker> {
  const attacker = await Attacker.connect(port, credentials)
  attacker.write(bad.bytes())
  if (bad.answer.kind !== 'silence') await attacker.answer(answerMs).catch(() => undefined)
  return attacker
}

/** Whatever becomes of one attack, the next follows. */
async function attempt(attack: () => Promise<Attacker>): Promise<void> {
  try {
    lingering.push(await attack())
    attacks += 1
  } catch (error) {
    console.error(`an attack did not come about: ${String(error)}`)
    await sleep(100)
  }
  while (lingering.length > lingeringMax) lingering.shift()?.vanish()
}
