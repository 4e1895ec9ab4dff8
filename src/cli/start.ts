import { loadConfig, type LoadInput } from '../config/load.js'
import { sourceFlags, type Command } from './command.js'
import { configurationInput } from './configuration.js'
import { keptCredentials } from './dev-app.js'

/** What `--dev` sets unless flags say otherwise: on one's own machine nobody waits for a load balancer. */
const quickStop = { 'drain-pre-stop-delay-ms': '0', 'drain-period-ms': '0' }

/** Runs the server in the foreground. */
export const startCommand: Command = {
  name: 'start',
  summary: 'Run the server (what `belfry` does without a command).',
  flags: [
    ...sourceFlags,
    {
      name: 'dev',
      description:
        "For one's own machine: an app with random credentials, kept in .belfry/ and printed, and no delays on the way down.",
    },
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
    const usual = configurationInput(call, console)
    const input: LoadInput = {
      ...usual,
      flags: dev ? { ...quickStop, ...usual.flags } : usual.flags,
      // Several nodes must share their credentials, so with Redis they are made up only on demand.
      appWhenNone: ({ redis }) =>
        dev || (console.isTerminal && !redis) ? keptCredentials(console.directory) : undefined,
    }
    const loaded = loadConfig(input)
    if (!loaded.ok) {
      for (const error of loaded.errors) console.complain(error)
      return 1
    }
    // Before the server runs there is nothing to read again, and a signal nobody listens to would end the process.
    process.on('SIGHUP', () => undefined)
    // Loaded only now, so that every other command starts faster, and a broken configuration is told without it.
    const { serve } = await import('./serve.js')
    return serve({ loaded, load: () => loadConfig(input), console, events: process, dev })
  },
}
