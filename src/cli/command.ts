/** What a command is, and what it gets to work with. */

/** The world outside, as a command may see it. */
export interface Console {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** The working directory. */
  readonly directory: string
  /** Whether people read standard output. */
  readonly isTerminal: boolean
  /** Writes a line to standard output. */
  print(text: string): void
  /** Writes a line to standard error. */
  complain(text: string): void
}

export interface Flag {
  /** Without the dashes. */
  readonly name: string
  readonly short?: string
  /** Placeholder of the value in the help text; without one the flag is a switch. */
  readonly value?: string
  readonly description: string
}

/** The command line of one call, checked against what the command takes. */
export interface Call {
  /** Values of the command's own flags; a switch that is on has `true`. */
  readonly flags: Readonly<Record<string, string>>
  /** Values of the flags that name a key of the configuration. */
  readonly configuration: Readonly<Record<string, string>>
  readonly operands: readonly string[]
}

export interface Command {
  readonly name: string
  /** One line for the list of commands. */
  readonly summary: string
  /** Operands for the usage line, like `CHANNEL EVENT [DATA]`. */
  readonly operands?: string
  /** How many operands it takes. */
  readonly operandsMin?: number
  readonly operandsMax?: number
  readonly flags: readonly Flag[]
  /** Whether every key of the configuration is a flag of it too. */
  readonly takesConfiguration?: boolean
  /** Calls without the program's name, each with what it does. */
  readonly examples: readonly (readonly [call: string, meaning: string])[]
  /** @returns the exit code; @throws CommandError for what one sentence tells */
  run(call: Call, console: Console): Promise<number>
}

/** Ends a command with one sentence. */
export class CommandError extends Error {
  readonly exitCode: 1 | 2

  /** @param exitCode 2 for a call that cannot be right, 1 for everything else */
  constructor(message: string, exitCode: 1 | 2 = 1) {
    super(message)
    this.exitCode = exitCode
  }
}

/** Flags of every command that reads the configuration. */
export const sourceFlags: readonly Flag[] = [
  {
    name: 'config',
    short: 'c',
    value: 'FILE',
    description: 'Configuration in YAML or JSON (default: belfry.yaml, if it exists).',
  },
  { name: 'env-file', value: 'FILE', description: 'A Laravel .env file, read as it is.' },
]
