import { expect, test } from 'vitest'
import { Keys } from '../../../../src/backend/redis/keys.js'
import type { Link } from '../../../../src/backend/redis/link.js'
import { Members } from '../../../../src/backend/redis/members.js'
import { Partition, type Surroundings } from '../../../../src/backend/redis/partition.js'
import { ManualClock } from '../../../fakes/manual-clock.js'

const topic = '1/presence-a'

/** A server that has nothing stored and leaves scripts unanswered until it is told to. */
class SilentLink implements Link {
  readonly name = 'silent'
  readonly up = true
  readonly suspect = false
  readonly scripts: string[] = []
  readonly #answers: ((reply: unknown) => void)[] = []

  redisNowMs(): number {
    return 0
  }

  run({ name }: { readonly name: string }): Promise<unknown> {
    this.scripts.push(name)
    return new Promise((resolve) => this.#answers.push(resolve))
  }

  call(): Promise<unknown> {
    return Promise.resolve([])
  }

  answer(reply: unknown): void {
    this.#answers.shift()?.(reply)
  }
}

test('a join that is under way is not written by a comparison, which knows no limit of members', async () => {
  const link = new SilentLink()
  // What members ask of their surroundings here.
  const around = {
    clock: new ManualClock(),
    keys: new Keys('test'),
    node: 'n1',
    links: { of: () => link },
    wantsTransition: () => false,
    subscribeTimeoutMs: 300,
    publishTimeoutMs: 1000,
    queryTimeoutMs: 1000,
  } as unknown as Surroundings
  const partition = new Partition(0, around, () => undefined)
  partition.state = 'up'
  const members = new Members(partition, around, () => undefined)

  const join = members.join(topic, '1.1', { userId: 'ann', userInfo: undefined }, 1, false)
  expect(link.scripts).toEqual(['join'])
  await members.audit()
  expect(link.scripts).toEqual(['join'])
  link.answer('full')
  expect(await join).toEqual({ outcome: 'full' })
  await members.audit()
  expect(link.scripts).toEqual(['join'])
})
