/** The one app that variables and flags can describe: added to the apps of the file, or laid over the one of the same id. */
import { isObject, layers, type Draft, type Source } from './draft.js'
import type { Setting } from './variables.js'

export interface AppCredentials {
  readonly id: string
  readonly key: string
  readonly secret: string
}

/**
 * Puts the app settings where they belong.
 * @param whenNone asked for an app when there is none
 * @returns `given` when the app of `whenNone` is used
 */
export function placeApp(
  draft: Draft,
  settings: readonly Setting[],
  whenNone: () => AppCredentials | undefined,
): 'given' | 'configured' {
  const apps = draft.get(['apps'])
  if (apps !== undefined && !Array.isArray(apps)) return 'configured'
  const listed: readonly unknown[] = apps ?? []
  const described = settings.some(({ key }) =>
    ['id', 'key', 'secret', 'secretFile', 'keys'].includes(String(key.path[0])),
  )
  if (listed.length === 0 && !described) {
    const credentials = whenNone()
    if (credentials === undefined) {
      // Earlier problems tell of apps that could not be read.
      if (draft.problems.length === 0) draft.problems.push(noApp)
      return 'configured'
    }
    give(draft, credentials)
    lay(draft, 0, settings)
    return 'given'
  }
  if (settings.length > 0) lay(draft, indexFor(draft, listed, settings), settings)
  return 'configured'
}

const noApp =
  'No app is configured: set BELFRY_APP_ID, BELFRY_APP_KEY and BELFRY_APP_SECRET, write a configuration with `belfry init`, or start with --dev for random credentials.'

function give(draft: Draft, credentials: AppCredentials): void {
  const source: Source = { layer: layers.alias, label: 'the generated credentials' }
  for (const [name, value] of Object.entries(credentials)) draft.set(['apps', 0, name], value, source)
}

/** Where the settings go: to the app of their id, without an id to the only app, else to a new one. */
function indexFor(draft: Draft, apps: readonly unknown[], settings: readonly Setting[]): number | undefined {
  const idSetting = settings.findLast(({ key }) => key.path[0] === 'id')
  if (idSetting !== undefined) {
    const existing = apps.findIndex((app) => isObject(app) && String(app['id']) === String(idSetting.value))
    if (existing >= 0) return existing
    draft.markEnvironmentApp(apps.length)
    return apps.length
  }
  if (apps.length > 1) {
    const names = [...new Set(settings.map(({ source }) => source.label))].join(', ')
    draft.problems.push(`${names}: there are ${apps.length} apps, so set BELFRY_APP_ID to the one that is meant.`)
    return undefined
  }
  if (apps.length === 0) draft.markEnvironmentApp(0)
  return 0
}

function lay(draft: Draft, index: number | undefined, settings: readonly Setting[]): void {
  if (index === undefined) return
  for (const { key, value, source } of settings) draft.set(['apps', index, ...key.path], value, source)
}
