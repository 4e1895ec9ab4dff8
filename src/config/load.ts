/** Reads the configuration: flags over environment over file over defaults. Nothing comes out of a broken one but all its errors. */
import { LineCounter, parseDocument, type Document } from 'yaml'
import { checkCredentials } from './app-credentials.js'
import { adviceFor, checkConfig } from './checks.js'
import { gatherAliases, isReverbFile, type PublicAddress } from './compat.js'
import { parseDotenv } from './dotenv.js'
import { Draft, isObject, layers, type Problem } from './draft.js'
import { placeApp, type AppCredentials } from './environment-app.js'
import { resolveConfig } from './resolve.js'
import { configSchema, type Config } from './schema.js'
import { errorCode, readSecretFiles, type ReadText } from './secret-files.js'
import { sentencesOf } from './sentences.js'
import { gatherBelfryVariables, gatherFlags, type Note, type Variables } from './variables.js'

export interface LoadInput {
  /** Flags of the configuration by name, without the dashes: `{ port: '6001' }`. */
  readonly flags: Readonly<Record<string, string>>
  readonly environment: Readonly<Record<string, string | undefined>>
  /** YAML or JSON. */
  readonly file?: string | undefined
  /** A `.env` file, as `--env-file` names it. */
  readonly envFile?: string | undefined
  /** Whether people read the output: decides the default of `log.format`. */
  readonly terminal: boolean
  /** Asked when no app is configured; without an answer that is an error. */
  readonly appWhenNone?: (situation: { readonly redis: boolean }) => AppCredentials | undefined
  readonly readText: ReadText
}

export type LoadOutcome =
  LoadedConfig | { readonly ok: false; readonly errors: readonly string[]; readonly files: readonly string[] }

export interface LoadedConfig {
  readonly ok: true
  readonly config: Config
  readonly notes: readonly Note[]
  /** Where browsers reach the server, if a Laravel `.env` says so. */
  readonly publicAddress: PublicAddress | undefined
  /** Whether the app is the one of `appWhenNone`. */
  readonly appWasGiven: boolean
  /** Every file that was read; a change in one of them asks for a new load. */
  readonly files: readonly string[]
}

export function loadConfig(input: LoadInput): LoadOutcome {
  const files = new Set<string>()
  const readText = (path: string) => {
    files.add(path)
    return input.readText(path)
  }
  const problems: Problem[] = []
  const tree = input.file === undefined ? {} : readTree(input.file, readText, problems)
  const variables = readVariables(input, readText, problems)
  if (problems.length > 0) return { ok: false, errors: problems, files: [...files] }

  const draft = new Draft(tree, input.file)
  const aliases = gatherAliases(variables)
  const sources = [aliases, gatherBelfryVariables(variables), gatherFlags(input.flags)]
  const settings = sources.flatMap((source) => source.settings)
  draft.problems.push(...sources.flatMap((source) => source.problems))
  for (const { key, value, source } of settings) if (key.scope === 'config') draft.set(key.path, value, source)
  readSecretFiles(draft, readText)
  const placed = placeApp(
    draft,
    settings.filter(({ key }) => key.scope === 'app'),
    () => input.appWhenNone?.({ redis: draft.get(['redis']) !== undefined }),
  )
  readSecretFiles(draft, readText)
  const notes = sources.flatMap((source) => source.notes)
  if (isReverbFile(variables) && draft.get(['port']) === undefined) {
    draft.set(['port'], reverbPort, { layer: layers.alias, label: 'the default port of Reverb' })
    notes.push({
      level: 'info',
      message: `The port is ${reverbPort}, as Reverb's, because the environment file names none.`,
    })
  }

  const { config, errors } = check(draft, input.terminal)
  if (config === undefined) return { ok: false, errors, files: [...files] }
  notes.push(...adviceFor(config))
  return {
    ok: true,
    config,
    notes,
    files: [...files],
    publicAddress: aliases.publicAddress,
    appWasGiven: placed === 'given',
  }
}

const reverbPort = 8080

/**
 * Parses the draft. When parts of it are wrong, the rules over several keys are still tried on the rest, so that all errors
 * come out together.
 */
function check(draft: Draft, terminal: boolean): { config: Config | undefined; errors: Problem[] } {
  checkCredentials(draft)
  const errors = [...draft.problems]
  const parsed = configSchema.safeParse(draft.tree)
  if (!parsed.success) errors.push(...sentencesOf(parsed.error.issues, draft))
  const sound = parsed.success ? parsed : configSchema.safeParse(withoutWrongParts(draft.tree, parsed.error.issues))
  if (!sound.success) return { config: undefined, errors: [...new Set(errors)] }
  const config = resolveConfig(sound.data, terminal)
  errors.push(...checkConfig(config))
  return { config: errors.length === 0 ? config : undefined, errors: [...new Set(errors)] }
}

/** Leaves out what issues point at: a whole app for what is wrong in one, else the key at the top. */
function withoutWrongParts(
  tree: Readonly<Record<string, unknown>>,
  issues: readonly { readonly path: PropertyKey[]; readonly keys?: unknown }[],
): Record<string, unknown> {
  const wrongKeys = new Set<unknown>()
  const wrongApps = new Set<unknown>()
  for (const { path, keys } of issues) {
    if (path[0] === 'apps' && path.length > 1) wrongApps.add(path[1])
    else if (path.length > 0) wrongKeys.add(path[0])
    else if (Array.isArray(keys)) keys.forEach((key: unknown) => wrongKeys.add(key))
  }
  const rest = Object.entries(tree).filter(([key]) => !wrongKeys.has(key))
  return Object.fromEntries(
    rest.map(([key, value]) => {
      const listed = key === 'apps' && Array.isArray(value) ? (value as unknown[]) : undefined
      return [key, listed === undefined ? value : listed.filter((_, index) => !wrongApps.has(index))]
    }),
  )
}

/** The tree of the file. `null`, which YAML makes of a key without a value, means that it is not set. */
function readTree(file: string, readText: ReadText, problems: Problem[]): Record<string, unknown> {
  let text: string
  try {
    text = readText(file)
  } catch (error) {
    problems.push(`${file} cannot be read (${errorCode(error)}): check the path and its permissions.`)
    return {}
  }
  const lines = new LineCounter()
  const document = parseDocument(text, { prettyErrors: false, lineCounter: lines })
  const errors = [...document.errors, ...document.warnings]
  // The parser's texts may quote the file, which holds secrets: only its codes are shown.
  for (const { code, pos } of errors) {
    const { line, col } = lines.linePos(pos[0])
    problems.push(
      `${file} is neither YAML nor JSON at line ${line}, column ${col} (${code.toLowerCase().replaceAll('_', ' ')}): correct it.`,
    )
  }
  if (errors.length > 0) return {}
  const tree = withoutNulls(contentOf(document))
  if (isObject(tree)) {
    // Where editors find the JSON schema of a JSON file.
    delete tree['$schema']
    return tree
  }
  if (tree !== undefined) problems.push(`${file} holds no keys at its top: write it as in docs/configuration.md.`)
  return {}
}

/** Plain data, or undefined when the file's aliases would blow up to more than a hundred times their size. */
function contentOf(document: Document): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 }) as unknown
  } catch {
    return []
  }
}

function withoutNulls(value: unknown): unknown {
  if (value === null) return undefined
  if (Array.isArray(value)) return value.map(withoutNulls)
  if (!isObject(value)) return value
  const set = Object.entries(value).filter(([, inner]) => inner !== null)
  return Object.fromEntries(set.map(([key, inner]) => [key, withoutNulls(inner)]))
}

function readVariables(input: LoadInput, readText: ReadText, problems: Problem[]): Variables {
  const process = set(Object.entries(input.environment))
  if (input.envFile === undefined) return { merged: process, process, file: new Map() }
  let text = ''
  try {
    text = readText(input.envFile)
  } catch (error) {
    problems.push(`${input.envFile} cannot be read (${errorCode(error)}): check the path and its permissions.`)
  }
  const { variables, problems: unreadable } = parseDotenv(text, input.environment)
  problems.push(...unreadable.map((problem) => `${input.envFile}: ${problem}: correct it.`))
  const file = set([...variables])
  return { merged: new Map([...file, ...process]), process, file }
}

function set(entries: readonly (readonly [string, string | undefined])[]): Map<string, string> {
  return new Map(entries.flatMap(([name, value]) => (value === undefined || value === '' ? [] : [[name, value]])))
}
