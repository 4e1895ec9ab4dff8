/** A configuration of ours while it is made from soketi's options: plain data that remembers the option behind each value. */
import { Draft, isObject } from './draft.js'
import type { Path } from './keys.js'
import { configSchema } from './schema.js'
import { sentencesOf } from './sentences.js'
import type { Outcome } from './soketi-rules.js'

/** More than any file has values. */
const leftOutMax = 10_000

export class SoketiMove {
  readonly tree: Record<string, unknown> = {}
  /** What people must hear, as `OPTION: sentence.` Never holds a secret. */
  readonly lines: string[] = []
  readonly #options = new WeakMap<object, Map<string, string>>()

  tell(option: string, remark: string): void {
    this.lines.push(`${option}: ${remark}${/[.:]$/.test(remark) ? '' : '.'}`)
  }

  /** Writes what an option became, and tells what there is to tell. @param container the tree, or an app or webhook in it */
  put(container: Record<string, unknown>, path: readonly string[], outcome: Outcome, option: string): void {
    if (outcome.kind === 'same') return
    if (outcome.kind === 'told') {
      this.tell(option, outcome.remark)
      return
    }
    this.write(container, path, outcome.value, option)
    if (outcome.remark !== undefined) this.tell(option, `written as ${path.join('.')}; ${outcome.remark}`)
  }

  write(container: Record<string, unknown>, path: readonly string[], value: unknown, option: string): void {
    const [name, ...rest] = path
    if (name === undefined) return
    this.#remember(container, name, option)
    if (rest.length === 0) {
      container[name] = value
      return
    }
    const inner = container[name]
    const next = isObject(inner) ? inner : {}
    container[name] = next
    this.write(next, rest, value, option)
  }

  /** Where an option stands that has no value of ours to it, as for a whole webhook. */
  mark(container: object, name: string | number, option: string): void {
    this.#remember(container, String(name), option)
  }

  /** Takes out whatever the schema refuses, and tells each; what is left can be loaded. */
  leaveOutImpossible(): void {
    for (let round = 0; round < leftOutMax; round += 1) {
      const parsed = configSchema.safeParse(this.tree)
      const issue = parsed.error?.issues[0]
      if (issue === undefined) return
      const place = placeOf(issue)
      const path = this.#whole(place)
      const [sentence = 'is not possible here'] = sentencesOf([issue], new Draft(this.tree, undefined))
      this.tell(this.#optionAt(place), `left out${withWhat(place, path)}: ${sentence.replace(/: [^:]*$/, '')}`)
      this.#remove(path)
    }
  }

  #remember(container: object, name: string, option: string): void {
    const names = this.#options.get(container) ?? new Map<string, string>()
    names.set(name, option)
    this.#options.set(container, names)
  }

  /** What goes with a value that cannot stay: the app without an id, the webhook without an address, the pair of TLS files. */
  #whole(path: Path): Path {
    const [first, , third] = path
    const last = path.at(-1)
    if (first === 'tls') return ['tls']
    if (first !== 'apps' || path.length < 3) return path
    if (third === 'webhooks' && (last === 'url' || path.length === 4)) return path.slice(0, 4)
    return path.length === 3 && ['id', 'key', 'secret'].includes(String(last)) ? path.slice(0, 2) : path
  }

  #optionAt(path: Path): string {
    let node: unknown = this.tree
    let option = 'the file'
    for (const part of path) {
      if (typeof node !== 'object' || node === null) break
      option = this.#options.get(node)?.get(String(part)) ?? option
      node = Reflect.get(node, part)
    }
    return option
  }

  /** Removes the value at the path, or the innermost there is around it. */
  #remove(path: Path): void {
    let node: unknown = this.tree
    let owner: { readonly container: object; readonly name: string | number } | undefined
    for (const part of path) {
      if (typeof node !== 'object' || node === null || !Object.hasOwn(node, part)) break
      owner = { container: node, name: part }
      node = Reflect.get(node, part)
    }
    if (owner === undefined) throw new Error(`nothing stands at ${path.join('.')}, which the schema refuses`)
    if (Array.isArray(owner.container)) owner.container.splice(Number(owner.name), 1)
    else Reflect.deleteProperty(owner.container, owner.name)
  }
}

interface Issue {
  readonly code?: string
  readonly path: readonly PropertyKey[]
  readonly keys?: unknown
  readonly errors?: unknown
}

/** Where the value stands that an issue is about: in a union, in the alternative that came into it. */
function placeOf(issue: Issue): Path {
  const path = issue.path.map((part) => (typeof part === 'symbol' ? part.toString() : part))
  if (issue.code === 'unrecognized_keys' && Array.isArray(issue.keys)) return [...path, String(issue.keys[0])]
  if (issue.code !== 'invalid_union' || !Array.isArray(issue.errors)) return path
  const inner = (issue.errors as readonly (readonly Issue[])[])
    .flat()
    .find(({ path: within, code }) => within.length > 0 || code === 'unrecognized_keys')
  return inner === undefined ? path : [...path, ...placeOf(inner)]
}

/** What else goes. */
function withWhat(place: Path, path: Path): string {
  if (place.length === path.length) return ''
  if (path[0] === 'tls') return ' with all of tls'
  return path.length === 2 ? ' with its app' : ' with its webhook'
}
