import type { Console } from '../../../src/cli/command.js'

/** Keeps what a command prints. */
export class FakeConsole implements Console {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly directory: string
  readonly isTerminal = false
  readonly printed: string[] = []
  readonly complained: string[] = []

  constructor(directory = '/nowhere', environment: Record<string, string> = {}) {
    this.directory = directory
    this.environment = environment
  }

  print(text: string): void {
    this.printed.push(text)
  }

  complain(text: string): void {
    this.complained.push(text)
  }
}
