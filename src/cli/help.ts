/** The help texts, generated from the commands and from the configuration's declared tree. */
import { keyByFlag, type Key } from '../config/keys.js'
import { helpFlag } from './arguments.js'
import type { Command, Flag } from './command.js'

/** Keys worth a line in the help of a command that takes all of them. */
const frequentFlags = [
  'host',
  'port',
  'path-prefix',
  'tls-cert-file',
  'tls-key-file',
  'app-id',
  'app-key',
  'app-secret',
  'app-secret-file',
  'metrics-port',
  'log-level',
  'log-format',
]

export function programHelp(commands: readonly Command[]): string {
  return [
    'Belfry: a Pusher-protocol WebSocket server that you run yourself.',
    'Usage: belfry [COMMAND] [FLAGS]',
    `Commands:\n${table(commands.map(({ name, summary }) => [name, summary]))}`,
    table([
      ['help COMMAND', 'What a command does, with examples.'],
      ['help options', 'Every option of the configuration, as flag and variable.'],
      ['--version', "The program's version."],
    ]),
    `Examples:\n${table([
      ['belfry start --dev', 'A server with random credentials, and what to paste into an application.'],
      ['belfry start --env-file .env', 'A server for the Laravel application in this directory.'],
    ])}`,
  ].join('\n\n')
}

export function commandHelp(command: Command): string {
  const operands = command.operands === undefined ? '' : ` ${command.operands}`
  const parts = [
    command.summary,
    `Usage: belfry ${command.name} [FLAGS]${operands}`,
    `Flags:\n${table([...command.flags, helpFlag].map(flagRow))}`,
  ]
  if (command.takesConfiguration === true) {
    const rows = frequentFlags
      .flatMap((name) => keyByFlag.get(name) ?? [])
      .map((key) => [flagName(key), key.facts.description] as const)
    parts.push(
      `Every option of the configuration is a flag; \`belfry help options\` lists all. Often used:\n${table(rows)}`,
    )
  }
  parts.push(`Examples:\n${table(command.examples.map(([call, meaning]) => [`belfry ${call}`, meaning]))}`)
  return parts.join('\n\n')
}

/** Every key of the configuration with its flag and variable. */
export function optionsHelp(): string {
  const lines = [...keyByFlag.values()].map((key) => `  ${flagName(key)}\n  ${key.env}\n      ${key.facts.description}`)
  return `Options of the configuration, each as a flag and as a variable (defaults: docs/configuration.md):\n\n${lines.join('\n')}`
}

function flagRow({ name, short, value, description }: Flag): readonly [string, string] {
  const names = short === undefined ? `--${name}` : `-${short}, --${name}`
  return [value === undefined ? names : `${names} ${value}`, description]
}

function flagName({ flag, facts }: Key): string {
  return facts.kind === 'toggle' ? `--${flag}` : `--${flag} ${facts.kind === 'whole' ? 'NUMBER' : 'VALUE'}`
}

/** Two columns; a wide first one puts its text on the next line. */
function table(rows: readonly (readonly [string, string])[]): string {
  const width = Math.min(36, Math.max(...rows.map(([left]) => left.length)))
  return rows
    .map(([left, right]) =>
      left.length > width ? `  ${left}\n  ${' '.repeat(width)}  ${right}` : `  ${left.padEnd(width)}  ${right}`,
    )
    .join('\n')
}
