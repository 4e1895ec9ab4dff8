#!/usr/bin/env node
/** Where the program starts: says in one sentence when this platform cannot run it, then hands over to the command line. */
import { platformProblem, thisPlatform } from './cli/platform.js'

const problem = platformProblem(thisPlatform())
if (problem === undefined) {
  // Everything else is loaded only now: on a platform that does not fit, loading is what would fail.
  const { runCommandLine } = await import('./cli/run.js')
  const exitCode = await runCommandLine(process.argv.slice(2), {
    environment: process.env,
    directory: process.cwd(),
    isTerminal: process.stdout.isTTY,
    print: (text) => void process.stdout.write(`${text}\n`),
    complain: (text) => void process.stderr.write(`${text}\n`),
  })
  process.exit(exitCode)
} else {
  process.stderr.write(`${problem}\n`)
  process.exit(1)
}
