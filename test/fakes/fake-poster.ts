import type { Attempt, WebhookPoster, WebhookRequest } from '../../src/webhooks/poster.js'

export interface PostedEvent {
  readonly name: string
  readonly channel: string
  readonly id: string
  readonly user_id?: string
  readonly subscription_count?: number
}

export interface Posted {
  readonly request: WebhookRequest
  readonly url: string
  readonly timeMs: number
  readonly events: readonly PostedEvent[]
  readonly delivered: boolean
}

/** A receiver of webhooks without a network: answers as the test says. */
export class FakePoster implements WebhookPoster {
  readonly posted: Posted[] = []
  /** What becomes of an attempt; a promise that stays open is a receiver that hangs. */
  answer: (request: WebhookRequest) => boolean | Promise<boolean> = () => true
  /** Requests that are under way, and the most there were at once. */
  underWay = 0
  underWayMost = 0
  closed = false

  async post(request: WebhookRequest): Promise<Attempt> {
    this.underWay += 1
    this.underWayMost = Math.max(this.underWayMost, this.underWay)
    const delivered = await this.answer(request)
    this.underWay -= 1
    const body = JSON.parse(request.body) as { time_ms: number; events: PostedEvent[] }
    this.posted.push({ request, url: request.url.href, timeMs: body.time_ms, events: body.events, delivered })
    return delivered ? { delivered } : { delivered, reason: 'the receiver answered 500' }
  }

  close(): void {
    this.closed = true
  }

  /** The events that were delivered, in order. */
  get events(): PostedEvent[] {
    return this.posted.filter(({ delivered }) => delivered).flatMap(({ events }) => events)
  }
}
