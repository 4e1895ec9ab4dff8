import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll } from 'vitest'
import { RedisBackend } from '../../src/backend/redis/redis-backend.js'
import { systemClock } from '../../src/base/clock.js'
import { RecordingLogger } from '../fakes/recording-logger.js'
import { RecordingSink } from '../fakes/recording-sink.js'
import { eventually } from '../harness/eventually.js'
import { RedisServer } from '../harness/redis-server.js'
import { describeWith } from '../requirements.js'
import { brokerContract } from './broker.contract.js'
import { budgetContract } from './budget.contract.js'
import { cacheStoreContract } from './cache-store.contract.js'
import { occupancyStoreContract } from './occupancy-store.contract.js'
import { OutboxRecorder } from './outbox-recorder.js'
import { outboxContract } from './outbox.contract.js'
import { presenceStoreContract } from './presence-store.contract.js'
import { tellsCounts, wantsTransition, type ContractSubject, type ContractTraits } from './subject.js'
import { userStoreContract } from './user-store.contract.js'

const handoverMs = 700
const traits: ContractTraits = { rateError: 0.1, handoverMs, scale: 0.1 }

describeWith(['redis'], 'the Redis backend', () => {
  let server: RedisServer
  beforeAll(async () => {
    server = await RedisServer.start()
  })
  afterAll(() => server.close())

  /** A node of a deployment of its own: a fresh prefix in the one server. */
  async function make(): Promise<ContractSubject> {
    const logger = new RecordingLogger()
    const backend = new RedisBackend({
      redis: {
        mode: 'standalone',
        url: server.url,
        nodes: [],
        sentinelName: undefined,
        sentinelPassword: undefined,
        tls: undefined,
        prefix: `contract-${randomBytes(6).toString('hex')}`,
      },
      node: randomBytes(4).toString('hex'),
      leaseMs: 10_000,
      publishTimeoutMs: 1000,
      subscribeTimeoutMs: 1000,
      queryTimeoutMs: 1000,
      handoverMs,
      clock: systemClock,
      logger,
      wantsTransition,
      tellsCounts,
    })
    const sink = new RecordingSink()
    const outboxListener = new OutboxRecorder()
    backend.outbox.watch(outboxListener)
    await backend.start(sink)
    await eventually('Redis is reached', () => backend.downSinceMs() === undefined)
    return {
      backend,
      sink,
      outboxListener,
      pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      close: () => backend.close(),
    }
  }

  brokerContract('Redis', make)
  presenceStoreContract('Redis', make, traits)
  occupancyStoreContract('Redis', make, traits)
  cacheStoreContract('Redis', make)
  userStoreContract('Redis', make, traits)
  budgetContract('Redis', make, traits)
  outboxContract('Redis', make)
})
