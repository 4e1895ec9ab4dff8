import { loadConfig, type LoadedConfig, type LoadInput, type LoadOutcome } from '../../../src/config/load.js'
import type { AppConfig, Config } from '../../../src/config/schema.js'

export interface World extends Partial<LoadInput> {
  /** Path → content; every other file is missing. */
  readonly files?: Readonly<Record<string, string>>
}

/** An app that is complete, for tests that are about something else. */
export const appVariables = {
  BELFRY_APP_ID: '1',
  BELFRY_APP_KEY: 'key-1',
  BELFRY_APP_SECRET: 'a secret of some length',
}

/** Loads in a world that holds only the given files; `belfry.yaml` and `.env` are used when they are among them. */
export function load({ files = {}, ...input }: World = {}): LoadOutcome {
  return loadConfig({
    flags: {},
    environment: {},
    file: 'belfry.yaml' in files ? 'belfry.yaml' : undefined,
    envFile: '.env' in files ? '.env' : undefined,
    terminal: false,
    readText: (path) => {
      const content = files[path]
      if (content === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' })
      return content
    },
    ...input,
  })
}

export function loaded(world: World = {}): LoadedConfig {
  const outcome = load(world)
  if (!outcome.ok) throw new Error(`the configuration was refused:\n${outcome.errors.join('\n')}`)
  return outcome
}

export function configOf(world: World = {}): Config {
  return loaded(world).config
}

/** The only app of a world. */
export function appOf(world: World = {}): AppConfig {
  const { apps } = configOf(world)
  if (apps.length !== 1) throw new Error(`${apps.length} apps instead of one`)
  return apps[0]!
}

export function errorsOf(world: World = {}): readonly string[] {
  const outcome = load(world)
  if (outcome.ok) throw new Error('the configuration was not refused')
  return outcome.errors
}

export function messagesOf(world: World = {}): readonly string[] {
  return loaded(world).notes.map(({ message }) => message)
}
