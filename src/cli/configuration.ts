/** Where a command finds its configuration. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { LoadInput } from '../config/load.js'
import type { Call, Console } from './command.js'

/** Looked for in the working directory when no file is named. */
const usualFiles = ['belfry.yaml', 'belfry.yml', 'belfry.json']
/** No configuration is this large; a device or a log would be. */
const fileBytesMax = 4_194_304

/** The input of `loadConfig` for a call. Files are named as they were given, and read from the working directory. */
export function configurationInput(call: Call, console: Console): Omit<LoadInput, 'appWhenNone'> {
  const named = call.flags['config'] ?? console.environment['BELFRY_CONFIG']
  const usual = usualFiles.find((name) => existsSync(resolve(console.directory, name)))
  return {
    flags: call.configuration,
    environment: console.environment,
    file: named === undefined || named === '' ? usual : named,
    envFile: call.flags['env-file'],
    terminal: console.isTerminal,
    readText: (path) => readBounded(resolve(console.directory, path)),
  }
}

function readBounded(path: string): string {
  const { size } = statSync(path)
  if (size > fileBytesMax)
    throw Object.assign(new Error('too large'), { code: `${size} bytes, at most ${fileBytesMax}` })
  return readFileSync(path, 'utf8')
}
