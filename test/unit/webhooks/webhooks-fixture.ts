import { StaticAppRegistry } from '../../../src/apps/static.js'
import { AppCounters, LatencyCounter } from '../../../src/core/counters.js'
import type { AppSettings } from '../../../src/core/ports/app.js'
import { Webhooks } from '../../../src/webhooks/webhooks.js'
import { FakeOutbox, FakeOutboxStore } from '../../fakes/fake-outbox.js'
import { FakePoster } from '../../fakes/fake-poster.js'
import { ManualClock } from '../../fakes/manual-clock.js'
import { RecordingLogger } from '../../fakes/recording-logger.js'

/** The webhooks of one node, without network and store. */
export class WebhooksFixture {
  readonly clock: ManualClock
  readonly store: FakeOutboxStore
  readonly outbox: FakeOutbox
  readonly poster = new FakePoster()
  readonly logger = new RecordingLogger()
  readonly registry: StaticAppRegistry
  readonly durations = new LatencyCounter()
  readonly webhooks: Webhooks
  readonly #counters = new Map<string, AppCounters['webhooks']>()

  constructor(
    apps: readonly AppSettings[],
    clock = new ManualClock(),
    store = new FakeOutboxStore(clock),
    outlives = true,
  ) {
    this.clock = clock
    this.store = store
    this.outbox = new FakeOutbox(store, outlives)
    this.registry = new StaticAppRegistry(apps)
    this.webhooks = new Webhooks({
      outbox: this.outbox,
      registry: this.registry,
      poster: this.poster,
      clock,
      logger: this.logger,
      node: 'n1',
      countersOf: (appId) => this.counters(appId),
      durations: this.durations,
    })
    this.webhooks.start()
  }

  counters(appId: string): AppCounters['webhooks'] {
    const counters = this.#counters.get(appId) ?? new AppCounters().webhooks
    this.#counters.set(appId, counters)
    return counters
  }

  /** Events that were delivered, as `NAME CHANNEL[ USER]`. */
  get told(): string[] {
    return this.poster.events.map(({ name, channel, user_id: user }) =>
      user === undefined ? `${name} ${channel}` : `${name} ${channel} ${user}`,
    )
  }

  pass(ms: number): Promise<void> {
    return pass(this.clock, ms)
  }
}

/** Lets time pass in small steps, with what is done in between. */
export async function pass(clock: ManualClock, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 10) {
    clock.advance(Math.min(10, left))
    await settled()
  }
}

/** Lets everything go on that waits for nothing but its turn. */
export async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
}
