/** What is in an image, and how large it is. */
import { execFileSync } from 'node:child_process'
import { lstatSync, readdirSync } from 'node:fs'
import { join, relative } from 'node:path'

export interface Entry {
  /** Below the folder that was looked through, without a leading slash. */
  readonly path: string
  readonly bytes: number
}

/** Every file and link below a folder; a file with two names counts once. */
export function filesOf(folder: string): Entry[] {
  const seen = new Set<string>()
  const below = (path: string): Entry[] => {
    const stat = lstatSync(path)
    if (stat.isDirectory()) return readdirSync(path).flatMap((name) => below(join(path, name)))
    const id = `${stat.dev}:${stat.ino}`
    const again = stat.nlink > 1 && seen.has(id)
    seen.add(id)
    return [{ path: relative(folder, path), bytes: again ? 0 : stat.size }]
  }
  return below(folder)
}

export function bytesOf(entries: readonly Entry[]): number {
  return entries.reduce((total, { bytes }) => total + bytes, 0)
}

/** What is sent when an image with this layer is pulled: engines compress layers with gzip. */
export function compressedBytes(folder: string): number {
  const script = 'tar -C "$1" --sort=name -c . | gzip | wc -c'
  return Number(execFileSync('/bin/sh', ['-c', script, 'sh', folder], { encoding: 'utf8' }))
}

/** How large each folder is, the largest first; `depthOf` says how many parts of a path make its row. */
export function sizesBy(entries: readonly Entry[], rowOf: (path: string) => string): [row: string, bytes: number][] {
  const rows = new Map<string, number>()
  for (const { path, bytes } of entries) rows.set(rowOf(path), (rows.get(rowOf(path)) ?? 0) + bytes)
  return [...rows].sort(([, a], [, b]) => b - a)
}

/** Names of the packages in a node_modules folder, nested ones by their whole path, as the lock has them. */
export function packagesIn(folder: string, prefix = 'node_modules'): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((item) => {
    const [path, name] = [join(folder, item.name), `${prefix}/${item.name}`]
    if (!item.isDirectory() || item.name.startsWith('.')) return []
    if (item.name.startsWith('@')) return packagesIn(path, name)
    const inner = readdirSync(path).includes('node_modules')
    return [name, ...(inner ? packagesIn(join(path, 'node_modules'), `${name}/node_modules`) : [])]
  })
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}
