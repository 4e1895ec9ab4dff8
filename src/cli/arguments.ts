/** Reads a command's arguments; what is not known is answered with the nearest name. */
import { parseArgs } from 'node:util'
import { keyByFlag } from '../config/keys.js'
import { nearestName } from '../config/nearest.js'
import { CommandError, type Call, type Command, type Flag } from './command.js'

export const helpFlag: Flag = { name: 'help', short: 'h', description: 'Show this text.' }

/** @throws CommandError (exit code 2) with everything that is wrong with the arguments */
export function parseArguments(command: Command, argv: readonly string[]): Call {
  const own = [...command.flags, helpFlag]
  const options = new Map<string, { type: 'string' | 'boolean'; short?: string }>()
  if (command.takesConfiguration === true) {
    for (const [name, { facts }] of keyByFlag)
      options.set(name, { type: facts.kind === 'toggle' ? 'boolean' : 'string' })
  }
  for (const { name, short, value } of own) {
    options.set(name, { type: value === undefined ? 'boolean' : 'string', ...(short === undefined ? {} : { short }) })
  }
  const { tokens } = parseArgs({
    args: [...argv],
    options: Object.fromEntries(options),
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  const problems: string[] = []
  const flags: Record<string, string> = {}
  const configuration: Record<string, string> = {}
  const operands: string[] = []
  for (const token of tokens) {
    if (token.kind === 'positional') operands.push(token.value)
    if (token.kind !== 'option') continue
    const option = options.get(token.name)
    if (option === undefined) {
      problems.push(unknownFlag(command, token.rawName, token.name, options.keys()))
    } else if (option.type === 'string' && (token.value === undefined || token.value === '')) {
      problems.push(`--${token.name} needs a value: write --${token.name}=VALUE.`)
    } else {
      const target = own.some(({ name }) => name === token.name) ? flags : configuration
      target[token.name] = token.value ?? 'true'
    }
  }
  // The value of an unknown flag would count as an operand.
  if (problems.length === 0 && flags['help'] === undefined) problems.push(...operandProblems(command, operands))
  if (problems.length > 0) throw new CommandError(problems.join('\n'), 2)
  return { flags, configuration, operands }
}

function unknownFlag(command: Command, written: string, name: string, known: Iterable<string>): string {
  const nearest = nearestName(name, known)
  const advice = nearest === undefined ? `\`belfry ${command.name} --help\` lists them.` : `did you mean --${nearest}?`
  return `${written} is not a flag of belfry ${command.name}: ${advice}`
}

function operandProblems(command: Command, operands: readonly string[]): string[] {
  const usage = `belfry ${command.name}${command.operands === undefined ? '' : ` ${command.operands}`}`
  if (operands.length < (command.operandsMin ?? 0)) return [`Something is missing: the call is \`${usage}\`.`]
  const extra = operands[command.operandsMax ?? 0]
  return extra === undefined ? [] : [`${extra} is one argument too many: the call is \`${usage}\`.`]
}
