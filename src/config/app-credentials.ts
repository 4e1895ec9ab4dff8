/** Every app needs a key and its secret, as one pair or as a list of pairs. */
import { isObject, type Draft } from './draft.js'
import type { Path } from './keys.js'

/** Reports what is missing or said twice; wrong types are left to the schema. */
export function checkCredentials(draft: Draft): void {
  const apps = draft.get(['apps'])
  if (!Array.isArray(apps)) return
  for (const [index, app] of apps.entries()) if (isObject(app)) checkApp(draft, ['apps', index])
}

function checkApp(draft: Draft, app: Path): void {
  const pairs = draft.get([...app, 'keys'])
  if (!Array.isArray(pairs) || pairs.length === 0) {
    if (pairs === undefined || Array.isArray(pairs)) checkPair(draft, app)
    return
  }
  const single = ['key', 'secret', 'secretFile'].filter((name) => has(draft, [...app, name]))
  if (single.length > 0) {
    const [list, one] = [draft.labelOf([...app, 'keys']), draft.labelOf([...app, single[0] ?? ''])]
    draft.problems.push(`${list} and ${one} are both set: move the single pair into the list.`)
  }
  for (const index of pairs.keys()) checkPair(draft, [...app, 'keys', index])
}

function checkPair(draft: Draft, owner: Path): void {
  const [key, secret, secretFile] = [
    [...owner, 'key'],
    [...owner, 'secret'],
    [...owner, 'secretFile'],
  ]
  // In a list of pairs the schema itself asks for the key.
  if (owner.length === 2 && !has(draft, key))
    draft.problems.push(`${draft.labelOf(key)} is missing: set it, or a list of keys.`)
  if (!has(draft, secret) && !has(draft, secretFile)) {
    draft.problems.push(
      `${draft.labelOf(secret)} is missing: set it, or name a file that holds it (${draft.labelOf(secretFile)}).`,
    )
  }
}

function has(draft: Draft, path: Path): boolean {
  return draft.get(path) !== undefined
}
