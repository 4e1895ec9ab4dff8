import { readFileSync } from 'node:fs'

/** The version in package.json, which lies two folders up from here in the sources as in what is published. */
export function programVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  const content: unknown = JSON.parse(text)
  const isPackage = typeof content === 'object' && content !== null && 'version' in content
  return isPackage && typeof content.version === 'string' ? content.version : 'unknown'
}
