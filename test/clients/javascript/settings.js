import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The environment that the harness gives every program. */
export function settingsFromEnvironment() {
  const { env } = process
  return {
    host: env.BELFRY_HOST,
    port: Number(env.BELFRY_PORT),
    appId: env.BELFRY_APP_ID,
    key: env.BELFRY_APP_KEY,
    secret: env.BELFRY_APP_SECRET,
    encryptionKey: env.BELFRY_ENCRYPTION_KEY,
    stageUrl: env.STAGE_URL,
    authUrl: env.AUTH_URL,
  }
}

/** The first line of the contract. @param folder of the program, in whose node_modules the package is */
export function printLibrary(folder, name) {
  const { version } = JSON.parse(readFileSync(join(folder, 'node_modules', name, 'package.json'), 'utf8'))
  printLine({ library: name, version })
}

export function printLine(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}
