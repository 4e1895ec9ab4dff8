import { sourceFlags, type Command } from './command.js'

/** Looks at everything a server needs, and at the way to it; every failure comes with what to do. */
export const doctorCommand: Command = {
  name: 'doctor',
  summary: 'Check Redis, TLS, ports, limits and the public address, and say what to do.',
  flags: [
    { name: 'url', value: 'URL', description: 'Also try this public address, from the name to a received event.' },
    { name: 'app-id', value: 'ID', description: 'App to act as there (default: the first of the configuration).' },
    { name: 'key', value: 'KEY', description: "The app's key." },
    { name: 'secret', value: 'SECRET', description: "The app's secret." },
    {
      name: 'wait',
      value: 'SECONDS',
      description: 'Also leave a connection silent for so long: does the proxy cut it?',
    },
    { name: 'stand-in', description: "Take the stopped server's place for a moment: what does the proxy pass on?" },
    { name: 'json', description: 'Print JSON.' },
    ...sourceFlags,
  ],
  takesConfiguration: true,
  examples: [
    ['doctor', 'Check this machine against belfry.yaml.'],
    ['doctor --url https://ws.example.com', 'And the way through DNS, TLS and proxies.'],
    ['doctor --url https://ws.example.com --wait 70', "And the proxy's read timeout."],
    ['doctor --json', 'For programs.'],
  ],
  async run(call, console) {
    // Loaded only here: a server that starts has no use for it.
    const { Doctor } = await import('./doctor/doctor.js')
    const doctor = new Doctor(call, console)
    await doctor.examine()
    return doctor.end()
  },
}
