#!/usr/bin/env node
/** Where the program starts: says in one sentence when this platform cannot run it, then hands over to the command line. */
import { platformProblem, thisPlatform } from './cli/platform.js'

const argv = process.argv.slice(2)
const isWorker = argv[0] === 'worker'
// The parent of a worker runs on the same platform.
const problem = isWorker ? undefined : platformProblem(thisPlatform())
if (problem === undefined) {
  const console = {
    environment: process.env,
    directory: process.cwd(),
    isTerminal: process.stdout.isTTY,
    print: (text: string) => void process.stdout.write(`${text}\n`),
    complain: (text: string) => void process.stderr.write(`${text}\n`),
  }
  // Everything else is loaded only now: on a platform that does not fit, loading is what would fail.
  const exitCode = isWorker
    ? await (await import('./cli/worker.js')).runWorker(argv.slice(1), console)
    : await (await import('./cli/run.js')).runCommandLine(argv, console)
  process.exit(exitCode)
} else {
  process.stderr.write(`${problem}\n`)
  process.exit(1)
}
