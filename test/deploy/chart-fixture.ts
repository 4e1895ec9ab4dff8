/** Runs helm on the chart of this repository and looks into what comes out. */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { parseAllDocuments } from 'yaml'

export const root = join(import.meta.dirname, '..', '..')
export const chartFolder = join(root, 'deploy/helm/belfry')
const valuesFolder = join(root, 'deploy/helm/values')

/** Names of the example values files, without `.yaml`. */
export const exampleNames = readdirSync(valuesFolder)
  .filter((file) => file.endsWith('.yaml'))
  .map((file) => basename(file, '.yaml'))

export function exampleFile(name: string): string {
  return join(valuesFolder, `${name}.yaml`)
}

/** One app, which every rendering needs. */
export const withApp = ['--set', 'existingSecret=belfry-apps']
export const withRedis = ['--set', 'redis.existingSecret=belfry-redis']

/** A helm that was built without its release's settings takes itself for one of Kubernetes 1.20. */
export const kubernetes = ['--kube-version', '1.31.0']

/** What kubectl would get, as text. */
export interface Rendered {
  readonly ok: boolean
  /** The manifests, or what helm complains about. */
  readonly text: string
}

export function helm(program: string, ...options: readonly string[]): Rendered {
  const { status, stdout, stderr } = spawnSync(program, options, { encoding: 'utf8', timeout: 30_000 })
  return status === 0 ? { ok: true, text: stdout } : { ok: false, text: `${stdout}${stderr}` }
}

export function template(program: string, ...options: readonly string[]): Rendered {
  return helm(program, 'template', 'live', chartFolder, '--namespace', 'realtime', ...kubernetes, ...options)
}

/** What helm prints after an installation. It renders that file only for a cluster, so here a manifest holds its text. */
export function notesText(program: string, ...options: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'belfry-chart-'))
  try {
    cpSync(chartFolder, folder, { recursive: true })
    renameSync(join(folder, 'templates/NOTES.txt'), join(folder, 'notes.txt'))
    writeFileSync(join(folder, 'templates/notes.yaml'), 'notes: {{ tpl (.Files.Get "notes.txt") . | toJson }}\n')
    const place = ['--namespace', 'realtime', '--show-only', 'templates/notes.yaml', ...kubernetes]
    const rendered = helm(program, 'template', 'live', folder, ...place, ...options)
    return String(pick(new Manifests(rendered).all[0], 'notes'))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

export class Manifests {
  readonly all: readonly unknown[]

  /** @throws Error with helm's words when it refuses */
  constructor(rendered: Rendered) {
    if (!rendered.ok) throw new Error(rendered.text)
    this.all = documentsOf(rendered.text)
  }

  /** Kind and name of each, sorted. */
  get names(): string[] {
    return this.all.map((each) => `${String(pick(each, 'kind'))}/${String(pick(each, 'metadata', 'name'))}`).sort()
  }

  /** @throws Error when there is not exactly one */
  one(kind: string, name?: string): unknown {
    const found = this.all.filter(
      (each) => pick(each, 'kind') === kind && (name === undefined || pick(each, 'metadata', 'name') === name),
    )
    if (found.length !== 1) throw new Error(`${found.length} of ${kind} ${name ?? ''} among ${this.names.join(', ')}`)
    return found[0]
  }

  has(kind: string): boolean {
    return this.all.some((each) => pick(each, 'kind') === kind)
  }
}

/** The documents of a YAML text that are not empty. */
export function documentsOf(text: string): unknown[] {
  return parseAllDocuments(text).flatMap((document) => {
    const [error] = 'errors' in document ? document.errors : []
    if (error !== undefined) throw error
    const value: unknown = document.toJS()
    return value === null ? [] : [value]
  })
}

/** What is at a path, or undefined. */
export function pick(value: unknown, ...path: readonly (string | number)[]): unknown {
  let current = value
  for (const step of path) {
    if (typeof current !== 'object' || current === null) return undefined
    current = (current as Record<string | number, unknown>)[step]
  }
  return current
}

export function read(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}
