/** What environment variables and flags set: `BELFRY_…` by the names of keys.ts, other servers' names by compat.ts. */
import { keyByEnv, keyByFlag, type Key } from './keys.js'
import { layers, type Problem, type Source } from './draft.js'
import { nearestName } from './nearest.js'

/** The environment: that of the process, over that of an `--env-file`. Empty variables count as not set. */
export interface Variables {
  readonly merged: ReadonlyMap<string, string>
  readonly process: ReadonlyMap<string, string>
  readonly file: ReadonlyMap<string, string>
}

/** One key that a variable or a flag sets. */
export interface Setting {
  readonly key: Key
  readonly value: unknown
  readonly source: Source
}

/** Something the operator should know, logged once at start. */
export interface Note {
  readonly level: 'info' | 'warn'
  readonly message: string
}

export interface Gathered {
  readonly settings: readonly Setting[]
  readonly notes: readonly Note[]
  readonly problems: readonly Problem[]
}

/** Not keys of the tree, but known. */
const otherNames = new Set(['BELFRY_CONFIG'])
const kubernetesName = /_(SERVICE_(HOST|PORT(_\w+)?)|PORT_\d+_(TCP|UDP|SCTP)(_\w+)?)$/
const kubernetesAddress = /^(tcp|udp|sctp):\/\//

/** Whether Kubernetes set the variable for a service of that name: `BELFRY_PORT=tcp://10.0.0.1:6001`. */
export function isFromKubernetes(name: string, value: string): boolean {
  return kubernetesName.test(name) || kubernetesAddress.test(value)
}

/** Whether an alias would be overruled: the variable or its `_FILE` twin is set. */
export function isSet(variables: Variables, env: string): boolean {
  return [env, `${env}_FILE`].some((name) => {
    const value = variables.merged.get(name)
    return value !== undefined && !isFromKubernetes(name, value)
  })
}

export function gatherBelfryVariables(variables: Variables): Gathered {
  const settings: Setting[] = []
  const notes: Note[] = []
  const problems: Problem[] = []
  for (const [name, value] of variables.merged) {
    if (!name.startsWith('BELFRY_') || name.startsWith('BELFRY_TEST_')) continue
    if (otherNames.has(name) || isFromKubernetes(name, value)) continue
    const key = keyByEnv.get(name)
    if (key === undefined) {
      notes.push({
        level: 'warn',
        message: `${name} is not a known variable and is ignored${suggestion(name, keyByEnv.keys())}`,
      })
    } else {
      addSetting(settings, problems, key, value, { layer: layers.environment, label: name })
    }
  }
  return { settings, notes, problems }
}

/** @param flags values by flag name, without the dashes */
export function gatherFlags(flags: Readonly<Record<string, string>>): Gathered {
  const settings: Setting[] = []
  const problems: Problem[] = []
  for (const [name, value] of Object.entries(flags)) {
    const key = keyByFlag.get(name)
    if (key !== undefined) addSetting(settings, problems, key, value, { layer: layers.flag, label: `--${name}` })
    else problems.push(`--${name} is not a known flag${suggestion(name, keyByFlag.keys(), '--')}`)
  }
  return { settings, notes: [], problems }
}

/** Adds what a text means for a key, or the problem that it means nothing. */
export function addSetting(settings: Setting[], problems: Problem[], key: Key, text: string, source: Source): void {
  const value = valueFromText(key, text)
  if (value === invalidJson)
    problems.push(
      `${source.label} is not valid JSON: give a JSON ${key.facts.kind === 'map' ? 'object' : 'list'} in one line.`,
    )
  else settings.push({ key, value, source })
}

const invalidJson = Symbol('invalid JSON')

/** The value a text stands for. A text that does not fit is kept, and refused by the schema with everything else. */
function valueFromText(key: Key, text: string): unknown {
  const trimmed = text.trim()
  switch (key.facts.kind) {
    case 'whole':
      return /^-?\d+(\.\d+)?$/.test(trimmed) ? Number(trimmed) : trimmed
    case 'toggle':
      return toggleWords.get(trimmed.toLowerCase()) ?? trimmed
    case 'texts':
      return trimmed
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== '')
    case 'list':
    case 'map':
      return jsonOr(trimmed)
    case 'text':
      return text
    case 'choice':
    case 'group':
      return trimmed
  }
}

const toggleWords: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['1', true],
  ['on', true],
  ['yes', true],
  ['false', false],
  ['0', false],
  ['off', false],
  ['no', false],
])

/** The parser's own message may quote the text, which can hold secrets: it is not passed on. */
function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return invalidJson
  }
}

function suggestion(name: string, known: Iterable<string>, prefix = ''): string {
  const nearest = nearestName(name, known)
  return nearest === undefined ? '.' : `: did you mean ${prefix}${nearest}?`
}
