import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const root = fileURLToPath(new URL('..', import.meta.url))
const seconds = 1000

/** One project per folder of test/; scenarios are no part of it (`npm run test:faults`, `npm run test:cluster`). */
export default defineConfig({
  root,
  test: {
    root,
    reporters: ['default'],
    // A test left with `.only` would hide the others.
    allowOnly: false,
    passWithNoTests: true,
    projects: [
      project('unit', 10 * seconds, false),
      project('contract', 30 * seconds, true),
      project('backend-redis', 60 * seconds, true),
      project('protocol', 60 * seconds, true),
      project('deploy', 60 * seconds, true),
      project('proxies', 60 * seconds, true),
      project('fuzz', 300 * seconds, false),
    ],
  },
})

/** @param isolate whether each file gets a process of its own; files that share one start four times as fast */
function project(name: string, testTimeoutMs: number, isolate: boolean) {
  return {
    extends: true as const,
    test: {
      name,
      include: [`test/${name}/**/*.test.ts`],
      pool: 'forks' as const,
      isolate,
      testTimeout: testTimeoutMs,
      hookTimeout: Math.min(testTimeoutMs * 2, 120 * seconds),
    },
  }
}
