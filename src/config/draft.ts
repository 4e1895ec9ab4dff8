/** The configuration while it is put together: plain data nobody has checked yet, which remembers where each value came from. */
import { pusherLimits } from './app-schema.js'
import { keys, pathText, type Path } from './keys.js'

/** Later layers win. */
export const layers = { file: 0, alias: 1, environment: 2, flag: 3 } as const

export interface Source {
  readonly layer: (typeof layers)[keyof typeof layers]
  /** What a person would look for: `BELFRY_PORT`, `--port`, `belfry.yaml`. */
  readonly label: string
}

/** Something that is wrong, as one sentence that never holds a secret's value. */
export type Problem = string

export class Draft {
  readonly problems: Problem[] = []
  readonly #tree: Record<string, unknown>
  readonly #file: string | undefined
  readonly #sources = new Map<string, Source>()
  /** Index of the app that the environment and flags describe. */
  #environmentApp: number | undefined

  /**
   * @param tree what the file holds; belongs to the draft from now on
   * @param file its name, if there is a file
   */
  constructor(tree: Record<string, unknown>, file: string | undefined) {
    this.#tree = tree
    this.#file = file
  }

  get tree(): Readonly<Record<string, unknown>> {
    return this.#tree
  }

  get(path: Path): unknown {
    return path.reduce<unknown>((node, part) => childOf(node, part), this.#tree)
  }

  /** Sets a value, and drops the secret or the file name it replaces when that comes from a lower layer. */
  set(path: Path, value: unknown, source: Source): void {
    const parent = this.#parentOf(path)
    const name = path.at(-1)
    if (parent === undefined || name === undefined) return
    write(parent, name, value)
    this.#sources.set(pathText(path), source)
    if (typeof name !== 'string') return
    for (const twin of [`${name}File`, name.replace(/File$/, '')]) {
      const twinPath = [...path.slice(0, -1), twin]
      if (twin !== name && this.#layerOf(twinPath) < source.layer) this.delete(twinPath)
    }
  }

  /** Sets what a file named by the configuration holds; it belongs to the layer that named the file. */
  fill(path: Path, value: unknown, file: string): void {
    const name = path.at(-1)
    const layer = this.#layerOf([...path.slice(0, -1), `${String(name)}File`])
    this.set(path, value, { layer, label: file })
  }

  delete(path: Path): void {
    const parent = this.get(path.slice(0, -1))
    const name = path.at(-1)
    if (isObject(parent) && typeof name === 'string') Reflect.deleteProperty(parent, name)
  }

  /** Marks the app that is described by `BELFRY_APP_…`, so that what is missing in it is named so. */
  markEnvironmentApp(index: number): void {
    this.#environmentApp = index
  }

  /** How a message names a key: `BELFRY_PORT`, `--port`, `apps[0].id in belfry.yaml`. */
  labelOf(path: Path): string {
    const exact = this.#sources.get(pathText(path))
    if (exact !== undefined) return exact.label
    for (let length = path.length - 1; length > 0; length--) {
      const source = this.#sources.get(pathText(path.slice(0, length)))
      if (source !== undefined) return `${pathText(path)} in ${source.label}`
    }
    return (
      this.#environmentName(path) ?? (this.#file === undefined ? pathText(path) : `${pathText(path)} in ${this.#file}`)
    )
  }

  #environmentName(path: Path): string | undefined {
    if (this.#environmentApp === undefined || path[0] !== 'apps' || path[1] !== this.#environmentApp) return undefined
    const inApp = pathText(path.slice(2))
    return keys.find((key) => key.scope === 'app' && pathText(key.path) === inApp)?.env
  }

  #layerOf(path: Path): Source['layer'] {
    return this.#sources.get(pathText(path))?.layer ?? layers.file
  }

  /** The object or list that holds the last part of a path, made where it is missing; undefined when something else is there. */
  #parentOf(path: Path): Container | undefined {
    let node: Container = this.#tree
    for (const [index, part] of path.slice(0, -1).entries()) {
      const next = childOf(node, part)
      const container: unknown = next === undefined || next === 'pusher' ? emptyFor(next, path[index + 1]) : next
      if (!isContainer(container)) return undefined
      if (container !== next) write(node, part, container)
      node = container
    }
    return node
  }
}

type Container = Record<string, unknown> | unknown[]

/** What replaces a missing value, or the word `pusher`, when a key below it is set. */
function emptyFor(value: unknown, next: string | number | undefined): Container {
  if (value === 'pusher') return { ...pusherLimits }
  return typeof next === 'number' ? [] : {}
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isContainer(value: unknown): value is Container {
  return typeof value === 'object' && value !== null
}

function childOf(node: unknown, part: string | number): unknown {
  if (Array.isArray(node)) return typeof part === 'number' ? (node[part] as unknown) : undefined
  return isObject(node) && Object.hasOwn(node, part) ? node[part] : undefined
}

function write(node: Container, part: string | number, value: unknown): void {
  if (Array.isArray(node)) node[Number(part)] = value
  else node[String(part)] = value
}
