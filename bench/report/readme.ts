import { readFileSync, writeFileSync } from 'node:fs'

/** Replaces what stands between the two markers of a part, like `table node`. @throws Error when a marker is missing */
export function writeBetweenMarkers(file: string, part: string, text: string): void {
  const begin = `<!-- ${part}: begin (written by npm run bench -- --write-readme) -->`
  const end = `<!-- ${part}: end -->`
  const old = readFileSync(file, 'utf8')
  const from = old.indexOf(begin)
  const to = old.indexOf(end)
  if (from < 0 || to < from) throw new Error(`no markers of ${part} in ${file}`)
  writeFileSync(file, `${old.slice(0, from + begin.length)}\n\n${text}\n\n${old.slice(to)}`)
}
