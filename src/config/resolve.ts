/** From the checked tree to what the server gets: presets as figures, one form of keys, and nothing left open. */
import type { z } from 'zod'
import { limitFigures } from './app-schema.js'
import type { AppConfig, Config, configSchema, ParsedApp } from './schema.js'

/** @param terminal whether people read the output */
export function resolveConfig(parsed: z.output<typeof configSchema>, terminal: boolean): Config {
  const { apps, log, ...rest } = parsed
  return { ...rest, log: { ...log, format: log.format ?? (terminal ? 'pretty' : 'json') }, apps: apps.map(resolveApp) }
}

/** Pairs that are not complete are left out: app-credentials.ts has reported them. */
function resolveApp(app: ParsedApp): AppConfig {
  const { id, key, secret, keys: pairs, limits, ...rest } = app
  const keys = [{ key, secret }, ...pairs].flatMap((pair) => {
    return pair.key === undefined || pair.secret === undefined ? [] : [{ key: pair.key, secret: pair.secret }]
  })
  return { id: String(id), keys, limits: limitFigures(limits), ...rest }
}
