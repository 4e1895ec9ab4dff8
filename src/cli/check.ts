import { effectiveConfigText } from '../config/effective-text.js'
import { loadConfig } from '../config/load.js'
import { sourceFlags, type Command } from './command.js'
import { configurationInput } from './configuration.js'

/** Validates the configuration and prints what would be in effect, without secrets. */
export const checkCommand: Command = {
  name: 'check',
  summary: 'Validate the configuration and print what is in effect, without secrets.',
  flags: sourceFlags,
  takesConfiguration: true,
  examples: [
    ['check', 'Check belfry.yaml in this directory.'],
    ['check --config /etc/belfry.yaml', 'Check another file.'],
    ['check --env-file .env', 'See what a Laravel .env makes of it.'],
  ],
  async run(call, console) {
    const loaded = loadConfig(configurationInput(call, console))
    if (!loaded.ok) {
      for (const error of loaded.errors) console.complain(error)
      return 1
    }
    for (const { message } of loaded.notes) console.complain(message)
    console.print(effectiveConfigText(loaded.config).trimEnd())
    return 0
  },
}
