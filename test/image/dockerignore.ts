/** Which files of the repository a build may see. The last pattern that fits a path, or a folder above it, decides. */

interface Pattern {
  readonly expression: RegExp
  readonly includes: boolean
}

/** @returns whether this path, relative to the repository, stays out of the build */
export function ignoreRules(text: string): (path: string) => boolean {
  const patterns = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map(patternOf)
  return (path) => {
    let ignored = false
    for (const { expression, includes } of patterns) if (expression.test(path)) ignored = !includes
    return ignored
  }
}

function patternOf(line: string): Pattern {
  const includes = line.startsWith('!')
  const glob = (includes ? line.slice(1) : line).replaceAll(/^\/+|\/+$/g, '')
  if (/[[\]\\]/.test(glob)) throw new Error(`.dockerignore: ${line} is not understood`)
  const source = glob.replaceAll(/\*\*\/|\*\*|\*|\?|[^*?]+/g, (part) => {
    if (part === '**/') return '(?:.*/)?'
    if (part === '**') return '.*'
    if (part === '*') return '[^/]*'
    return part === '?' ? '[^/]' : part.replaceAll(/[.+^${}()|]/g, '\\$&')
  })
  return { expression: new RegExp(`^${source}(?:/.*)?$`), includes }
}
