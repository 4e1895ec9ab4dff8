import { describe, expect, it } from 'vitest'
import { StaticAppRegistry } from '../../../src/apps/static.js'
import { listenProblem } from '../../../src/base/listen-problem.js'
import { startWorkers, type WorkerStart } from '../../../src/workers.js'
import type { Fork, WorkerProcess } from '../../../src/workers/worker.js'
import { RecordingLogger } from '../../fakes/recording-logger.js'
import { configOf, credentials } from '../../harness/test-server.js'

describe('startWorkers: a port that somebody else gets in between', () => {
  /** Starts two workers that cannot listen on the first `taken` ports. @returns the ports they were given */
  async function start(port: number, taken: number): Promise<{ ports: number[]; error: unknown }> {
    const redis = { url: 'redis://127.0.0.1:1' }
    const apps = [{ id: '1', ...credentials }]
    const config = { ...configOf({ workers: 2, redis, apps, metrics: { enabled: false } }), port }
    const ports = new Set<number>()
    const fork: Fork = (_index, listener) => {
      const worker: WorkerProcess = {
        pid: 1,
        send(message) {
          if (message.type !== 'start') return
          const given = (message.start as WorkerStart).config.port
          ports.add(given)
          const reason = listenProblem(config.host, given)
          if (ports.size > taken) listener.message({ type: 'serving' })
          else queueMicrotask(() => listener.message({ type: 'failed', reason }))
          if (ports.size <= taken) queueMicrotask(() => listener.ended(1, null))
        },
        kill: () => listener.ended(null, 'SIGKILL'),
      }
      return worker
    }
    const registry = new StaticAppRegistry(config.apps)
    const logger = new RecordingLogger()
    try {
      const workers = await startWorkers({ config, registry, logger, version: '0', count: 2, fork })
      expect([...ports].at(-1)).toBe(workers.port)
      await workers.stop()
      return { ports: [...ports], error: undefined }
    } catch (error) {
      return { ports: [...ports], error }
    }
  }

  it('with port 0 another one is found', async () => {
    const { ports, error } = await start(0, 2)
    expect([ports.length, error]).toEqual([3, undefined])
  })

  it('after five ports it is told', async () => {
    const { ports, error } = await start(0, 9)
    expect([ports.length, String(error)]).toEqual([5, `Error: ${listenProblem('127.0.0.1', ports[4] ?? 0)}`])
  })
})
