import { MemoryBackend } from '../../src/backend/memory/memory-backend.js'
import { StaticAppRegistry } from '../../src/apps/static.js'
import { ManualClock } from '../fakes/manual-clock.js'
import { RecordingSink } from '../fakes/recording-sink.js'
import { appRegistryContract } from './app-registry.contract.js'
import { brokerContract } from './broker.contract.js'
import { budgetContract } from './budget.contract.js'
import { cacheStoreContract } from './cache-store.contract.js'
import { occupancyStoreContract } from './occupancy-store.contract.js'
import { OutboxRecorder } from './outbox-recorder.js'
import { outboxContract } from './outbox.contract.js'
import { presenceStoreContract } from './presence-store.contract.js'
import { tellsCounts, wantsTransition, type ContractSubject, type ContractTraits } from './subject.js'
import { userStoreContract } from './user-store.contract.js'

const traits: ContractTraits = { rateError: 0, handoverMs: 0, scale: 1 }

async function make(): Promise<ContractSubject> {
  const clock = new ManualClock()
  const backend = new MemoryBackend(clock, wantsTransition, tellsCounts)
  const sink = new RecordingSink()
  const outboxListener = new OutboxRecorder()
  backend.outbox.watch(outboxListener)
  await backend.start(sink)
  return {
    backend,
    sink,
    outboxListener,
    pass: async (ms) => clock.advance(ms),
    close: () => backend.close(),
  }
}

brokerContract('memory', make)
presenceStoreContract('memory', make, traits)
occupancyStoreContract('memory', make, traits)
cacheStoreContract('memory', make)
outboxContract('memory', make)
userStoreContract('memory', make, traits)
budgetContract('memory', make, traits)
appRegistryContract('static settings', (settings) => {
  const registry = new StaticAppRegistry(settings)
  return { registry, replace: async (next) => void registry.replace(next) }
})
