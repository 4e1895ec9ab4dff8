import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const deploy = join(import.meta.dirname, '..', '..', 'deploy')

/** A change of a snippet. */
export interface Edit {
  /** A line, or a part of one, that is there exactly once. */
  readonly line: string
  readonly becomes: string
}

/** @param path below deploy/ */
export function shipped(path: string): string {
  return readFileSync(join(deploy, path), 'utf8')
}

export function without(line: string): Edit {
  return { line, becomes: '' }
}

/** @throws Error when the text has no such line, or several: then the snippet has changed and the test must follow */
export function edited(text: string, edits: readonly Edit[]): string {
  return edits.reduce((whole, { line, becomes }) => {
    const count = whole.split(line).length - 1
    if (count !== 1) throw new Error(`the snippet has "${line}" ${count} times instead of once`)
    return whole.replace(line, () => becomes)
  }, text)
}
