import { readFileSync, writeFileSync } from 'node:fs'

const begin = '<!-- table: begin (written by npm run bench -- --write-readme) -->'
const end = '<!-- table: end -->'

/** Replaces what stands between the two markers of the file. @throws Error when a marker is missing */
export function writeBetweenMarkers(file: string, text: string): void {
  const old = readFileSync(file, 'utf8')
  const from = old.indexOf(begin)
  const to = old.indexOf(end)
  if (from < 0 || to < from) throw new Error(`no table markers in ${file}`)
  writeFileSync(file, `${old.slice(0, from + begin.length)}\n\n${text}\n\n${old.slice(to)}`)
}
