import { expect, test } from 'vitest'
import { Keys, outboxTopic, partitionCount } from '../../../../src/backend/redis/keys.js'

test.each(['belfry', '', 'a:b{c}'])('with the prefix %j a bus channel tells its partition', (prefix) => {
  const keys = new Keys(prefix)
  for (let partition = 0; partition < partitionCount; partition += 1) {
    const channel = keys.outboxBus(partition)
    expect(keys.topicOfBus(channel)).toBe(outboxTopic)
    expect(keys.partitionOfBus(channel)).toBe(partition)
  }
})
