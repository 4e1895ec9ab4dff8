/** Finds the command that was called, and ends it properly. */
import { nearestName } from '../config/nearest.js'
import { parseArguments } from './arguments.js'
import { checkCommand } from './check.js'
import { CommandError, type Command, type Console } from './command.js'
import { doctorCommand } from './doctor.js'
import { healthcheckCommand } from './healthcheck.js'
import { commandHelp, optionsHelp, programHelp } from './help.js'
import { initCommand } from './init.js'
import { listenCommand } from './listen.js'
import { signCommand } from './sign.js'
import { startCommand } from './start.js'
import { triggerCommand } from './trigger.js'
import { programVersion } from './version.js'

export const commands: readonly Command[] = [
  startCommand,
  initCommand,
  checkCommand,
  doctorCommand,
  triggerCommand,
  listenCommand,
  signCommand,
  healthcheckCommand,
]

/**
 * Runs one call of the program. Without a command, it is `start`.
 * @param argv the arguments after the program's name
 * @returns the exit code: 0 = done, 1 = failed, 2 = the call makes no sense
 */
export async function runCommandLine(argv: readonly string[], console: Console): Promise<number> {
  try {
    return await run(argv, console)
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    console.complain(error.message)
    return error.exitCode
  }
}

async function run(argv: readonly string[], console: Console): Promise<number> {
  const [first = '', ...rest] = argv
  if (first === '--version' || first === '-v') return said(console, programVersion())
  if (first === '--help' || first === '-h') return said(console, programHelp(commands))
  if (first === 'help') return said(console, helpFor(rest[0]))
  const isCommand = first !== '' && !first.startsWith('-')
  const command = isCommand ? commandNamed(first) : startCommand
  const call = parseArguments(command, isCommand ? rest : argv)
  return call.flags['help'] === undefined ? command.run(call, console) : said(console, commandHelp(command))
}

function helpFor(topic: string | undefined): string {
  if (topic === undefined) return programHelp(commands)
  return topic === 'options' ? optionsHelp() : commandHelp(commandNamed(topic))
}

function commandNamed(name: string): Command {
  const command = commands.find((candidate) => candidate.name === name)
  if (command !== undefined) return command
  const nearest = nearestName(name, [...commands.map((candidate) => candidate.name), 'help'])
  const advice = nearest === undefined ? '`belfry --help` lists them.' : `did you mean ${nearest}?`
  throw new CommandError(`${name} is not a command: ${advice}`, 2)
}

function said(console: Console, text: string): number {
  console.print(text)
  return 0
}
