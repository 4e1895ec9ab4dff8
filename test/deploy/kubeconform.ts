/**
 * Compares manifests with the shapes that Kubernetes publishes. kubeconform would fetch these from the network; here they come
 * from kubernetes-shapes.jsonl (README.md).
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A line of the file. */
interface Shape {
  readonly name: string
  /** kubeconform's name, if it is a kind. */
  readonly kind?: string
  readonly shape: unknown
}

interface Report {
  readonly resources: readonly {
    readonly kind: string
    readonly name: string
    readonly status: string
    readonly msg: string
  }[]
}

export interface Findings {
  readonly problems: readonly string[]
  /** Kinds of which no shape is known. */
  readonly unknown: readonly string[]
}

export function kubeconform(program: string, manifests: string): Findings {
  const folder = mkdtempSync(join(tmpdir(), 'belfry-kubeconform-'))
  try {
    const lines = readFileSync(join(import.meta.dirname, 'kubernetes-shapes.jsonl'), 'utf8')
      .trim()
      .split('\n')
    const shapes = lines.map((line) => JSON.parse(line) as Shape)
    const definitions = Object.fromEntries(shapes.map(({ name, shape }) => [name, shape]))
    for (const { name, kind } of shapes) {
      if (kind === undefined) continue
      writeFileSync(join(folder, `${kind}.json`), JSON.stringify({ $ref: `#/definitions/${name}`, definitions }))
    }
    const options = ['-strict', '-ignore-missing-schemas', '-verbose', '-output', 'json']
    const location = `${folder}/{{.ResourceKind}}{{.KindSuffix}}.json`
    const { stdout, stderr } = spawnSync(program, [...options, '-schema-location', location], {
      input: manifests,
      encoding: 'utf8',
      timeout: 30_000,
    })
    if (stdout === '') throw new Error(`kubeconform said nothing but ${stderr}`)
    return findingsOf(JSON.parse(stdout) as Report)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function findingsOf({ resources }: Report): Findings {
  if (resources.length === 0) throw new Error('kubeconform saw no manifest')
  const problems: string[] = []
  const unknown: string[] = []
  for (const { kind, name, status, msg } of resources) {
    if (status === 'statusSkipped') unknown.push(kind)
    else if (status !== 'statusValid') problems.push(`${kind} ${name}: ${msg}`)
  }
  return { problems, unknown }
}
