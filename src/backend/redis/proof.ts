import type { Clock, Timer } from '../../base/clock.js'
import { ServerClock } from './server-clock.js'

const periodMs = 2000
/** A message that is not back after so long: the bus counts as lost. A shorter freeze of the server cuts nobody off (R7). */
const silenceMs = 6000
/** Of the script; a later answer is of no use. */
export const proofTimeoutMs = silenceMs
const checkPeriodMs = 250
/** A check that comes later than this was held up by this process itself, and says nothing about the server. */
const heldUpMs = 1000

export interface ProofOwner {
  /** Publishes `p` and the number to this node's own channel. Resolves with the server's TIME, or undefined when it fails. */
  publish(number: number): Promise<unknown>
  /** A message that was sent since `begin` has come back, and the server's time is known. */
  proven(): void
  /** No proof has come back for too long. */
  silent(): void
  /** At every check: a look at what else may be stuck. */
  check(): void
}

/** Watches whether messages that this node sends to itself come back, and learns the server's time on the way. */
export class BusProof {
  readonly #clock: Clock
  readonly #owner: ProofOwner
  readonly #serverClock = new ServerClock()
  #timer: Timer | undefined
  #sent = 0
  #sentAtMs = 0
  #checkedAtMs = 0
  /** Messages from this one on count; undefined while there is nothing to prove. */
  #from: number | undefined
  /** One of them has come back. */
  #isBack = false
  /** When a message was sent that is not back yet; undefined when all are. */
  #openSinceMs: number | undefined
  /** Counts connections: the time an older one told is of no use. */
  #epoch = 0

  constructor(clock: Clock, owner: ProofOwner) {
    this.#clock = clock
    this.#owner = owner
  }

  /** The server's clock in ms since 1970; this machine's before the server has told. */
  redisNowMs(): number {
    return this.#serverClock.atMs(this.#clock.monotonicMs()) ?? this.#clock.nowMs()
  }

  start(): void {
    this.#checkedAtMs = this.#clock.monotonicMs()
    // Looks after the loop has read its sockets: what came while this process was busy has been received.
    this.#timer = this.#clock.every(checkPeriodMs, () => setImmediate(() => this.#check()))
  }

  stop(): void {
    this.#timer?.stop()
    this.#timer = undefined
    this.#from = undefined
  }

  /** Both connections work: only what is sent from now on proves anything. */
  begin(): void {
    this.#from = this.#sent + 1
    this.#isBack = false
    this.#openSinceMs = undefined
    void this.#send()
  }

  /** A connection is gone. */
  end(): void {
    this.#from = undefined
  }

  /** The next connection may lead to another server, with another clock. */
  forgetTime(): void {
    this.#epoch += 1
    this.#serverClock.forget()
  }

  /** A message on the proof channel. Anything that is not our own number is somebody else's and ignored. */
  received(payload: string): void {
    if (this.#from === undefined || !/^p\d{1,15}$/.test(payload)) return
    const number = Number(payload.slice(1))
    if (number < this.#from || number > this.#sent) return
    this.#from = number
    this.#isBack = true
    this.#openSinceMs = number === this.#sent ? undefined : this.#sentAtMs
    this.#tell()
  }

  async #send(): Promise<void> {
    this.#sent += 1
    const sentAtMs = this.#clock.monotonicMs()
    this.#sentAtMs = sentAtMs
    this.#openSinceMs ??= sentAtMs
    const epoch = this.#epoch
    const timeMs = serverTimeMs(await this.#owner.publish(this.#sent))
    if (timeMs === undefined || epoch !== this.#epoch) return
    this.#serverClock.learn(timeMs, sentAtMs, this.#clock.monotonicMs())
    this.#tell()
  }

  /** The message may overtake the answer of its script. */
  #tell(): void {
    if (this.#from !== undefined && this.#isBack && this.#serverClock.atMs(0) !== undefined) this.#owner.proven()
  }

  #check(): void {
    if (this.#timer === undefined) return
    const nowMs = this.#clock.monotonicMs()
    // So it gets a little time to read what has come meanwhile, and what it asks now.
    if (nowMs - this.#checkedAtMs > heldUpMs) {
      this.#openSinceMs = Math.max(this.#openSinceMs ?? 0, nowMs - silenceMs + heldUpMs)
    }
    this.#checkedAtMs = nowMs
    this.#owner.check()
    if (this.#from === undefined) return
    if (this.#openSinceMs !== undefined && nowMs - this.#openSinceMs > silenceMs) {
      this.#from = undefined
      this.#owner.silent()
      return
    }
    if (nowMs - this.#sentAtMs >= periodMs) void this.#send()
  }
}

/** What TIME gives: seconds and microseconds as text. */
function serverTimeMs(time: unknown): number | undefined {
  if (!Array.isArray(time)) return undefined
  const [seconds = Number.NaN, microseconds = Number.NaN] = time.map(Number)
  const timeMs = seconds * 1000 + Math.floor(microseconds / 1000)
  return Number.isFinite(timeMs) ? timeMs : undefined
}
