import type { FromWorker, ToWorker } from '../../src/workers/messages.js'
import type { Fork, WorkerProcessListener } from '../../src/workers/worker.js'

/** A worker's process that does what a test says; after `kill` it ends with SIGKILL. */
export class FakeWorkerProcess {
  readonly index: number
  readonly pid: number
  readonly received: ToWorker[] = []
  readonly #listener: WorkerProcessListener
  ended = false

  constructor(index: number, pid: number, listener: WorkerProcessListener) {
    this.index = index
    this.pid = pid
    this.#listener = listener
  }

  send(message: ToWorker): void {
    this.received.push(message)
  }

  kill(): void {
    this.end(null, 'SIGKILL')
  }

  says(message: FromWorker): void {
    this.#listener.message(message)
  }

  /** Sends something that no worker sends. */
  saysAnything(message: unknown): void {
    this.#listener.message(message)
  }

  end(exitCode: number | null, signal: string | null = null): void {
    if (this.ended) return
    this.ended = true
    this.#listener.ended(exitCode, signal)
  }

  /** Answers every question that was not answered yet. */
  answer(answer: (FromWorker & { type: 'answer' })['answer']): void {
    for (const message of this.received.splice(0))
      if (message.type === 'ask') this.says({ type: 'answer', id: message.id, answer })
  }

  get types(): string[] {
    return this.received.map((message) => message.type)
  }
}

/** Starts fake processes and keeps them in the order of their starts. */
export class FakeForks {
  readonly processes: FakeWorkerProcess[] = []

  readonly fork: Fork = (index, listener) => {
    const process = new FakeWorkerProcess(index, 1000 + this.processes.length, listener)
    this.processes.push(process)
    return process
  }

  /** The process of that start, counted from 0. */
  at(start: number): FakeWorkerProcess {
    const process = this.processes[start]
    if (process === undefined) throw new Error(`only ${this.processes.length} processes were started`)
    return process
  }
}
