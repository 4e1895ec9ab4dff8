import { readFileSync } from 'node:fs'

/** A small file of /proc or /sys; undefined where this system does not have it. */
export function readTextFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
