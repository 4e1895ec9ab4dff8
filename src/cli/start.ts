import { loadConfig, type LoadInput } from '../config/load.js'
import { sourceFlags, type Command } from './command.js'
import { configurationInput } from './configuration.js'
import { keptCredentials } from './dev-app.js'

/** Runs the server in the foreground. */
export const startCommand: Command = {
  name: 'start',
  summary: 'Run the server (what `belfry` does without a command).',
  flags: [
    ...sourceFlags,
    { name: 'dev', description: 'Without an app: random credentials, kept in .belfry/ and printed.' },
  ],
  takesConfiguration: true,
  examples: [
    ['start --dev', 'Try it out: prints what to paste into an application.'],
    ['start --config /etc/belfry.yaml', 'Run what that file says.'],
    ['start --env-file .env', 'Run with the credentials of a Laravel application.'],
    ['start --port 8080 --log-level debug', 'Any option of the configuration.'],
  ],
  async run(call, console) {
    const dev = call.flags['dev'] === 'true'
    const input: LoadInput = {
      ...configurationInput(call, console),
      // Several nodes must share their credentials, so with Redis they are made up only on demand.
      appWhenNone: ({ redis }) =>
        dev || (console.isTerminal && !redis) ? keptCredentials(console.directory) : undefined,
    }
    const loaded = loadConfig(input)
    if (!loaded.ok) {
      for (const error of loaded.errors) console.complain(error)
      return 1
    }
    // Loaded only now, so that every other command starts faster, and a broken configuration is told without it.
    const { serve } = await import('./serve.js')
    return serve({ loaded, load: () => loadConfig(input), console, events: process, dev })
  },
}
