/**
 * The programs: one per library, each in a folder of its own with the manifest and lock file of its language, and a `program.json`:
 *
 *     {
 *       "language": "python", "library": "pusher", "kind": "http" | "websocket",
 *       "runsIn": "…",                       what the table shows instead of the language
 *       "needs": ["python3"],                commands in PATH that it cannot do without
 *       "shares": ["javascript"],            other folders beside it that its copy needs
 *       "prepare": ["sh", "-c", "…"],        fetches and builds, in $FOLDER (the copy) or $CACHE_DIR
 *       "run": ["$CACHE_DIR/bin/python", "$FOLDER/main.py"],
 *       "lacks": { "trigger-info": "why" }   checks that the library cannot do; every other of its kind must be reported
 *     }
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { checksOf, type CheckName, type Kind } from './checks.js'

export interface ClientProgram {
  /** The folder below test/clients. */
  readonly name: string
  readonly library: string
  readonly kind: Kind
  readonly runsIn: string
  readonly needs: readonly string[]
  readonly shares: readonly string[]
  readonly prepare: readonly string[]
  readonly run: readonly string[]
  readonly lacks: Readonly<Partial<Record<CheckName, string>>>
}

/** Backends first, then by name. @throws Error when a `program.json` is none */
export function findPrograms(folder = import.meta.dirname): ClientProgram[] {
  const names = readdirSync(folder).filter((name) => existsSync(join(folder, name, 'program.json')))
  const programs = names.map((name) => programOf(name, readFileSync(join(folder, name, 'program.json'), 'utf8')))
  return programs.sort((a, b) => (a.kind === b.kind ? (a.name < b.name ? -1 : 1) : a.kind === 'http' ? -1 : 1))
}

function programOf(name: string, text: string): ClientProgram {
  const tree = JSON.parse(text) as Partial<ClientProgram> & { readonly language?: string }
  const { kind, library, language, run, prepare } = tree
  const bad = (what: string): never => {
    throw new Error(`test/clients/${name}/program.json: ${what}`)
  }
  if (kind !== 'http' && kind !== 'websocket') return bad('kind is http or websocket')
  if (library === undefined || language === undefined) return bad('library and language are missing')
  if (run === undefined || prepare === undefined) return bad('prepare and run are missing')
  const lacks = tree.lacks ?? {}
  const known: readonly string[] = checksOf(kind)
  for (const check of Object.keys(lacks)) if (!known.includes(check)) bad(`lacks names ${check}, which is no check`)
  const runsIn = tree.runsIn ?? `${language.slice(0, 1).toUpperCase()}${language.slice(1)}`
  return { name, library, kind, runsIn, needs: tree.needs ?? [], shares: tree.shares ?? [], prepare, run, lacks }
}
