import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { shipped } from './snippet.js'

const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'proxies.md'), 'utf8')

const files: Readonly<Record<string, readonly string[]>> = {
  nginx: ['nginx/belfry.conf'],
  HAProxy: ['haproxy/haproxy.cfg'],
  Caddy: ['caddy/Caddyfile'],
  Traefik: ['traefik/traefik.yaml', 'traefik/dynamic/belfry.yaml'],
}

it.each(Object.entries(files))('every line that docs/proxies.md explains is in the snippet of %s', (name, paths) => {
  const text = paths.map((path) => shipped(path)).join('\n')
  const lines = linesExplained(name)
  expect(lines.length).toBeGreaterThan(3)
  expect(lines.filter((line) => !text.includes(line))).toEqual([])
})

/** What stands in backquotes in the first column of the section's table. */
function linesExplained(name: string): string[] {
  const section = new RegExp(`^## ${name}$([\\s\\S]*?)(?=^## |$(?![\\s\\S]))`, 'm').exec(page)?.[1] ?? ''
  const cells = [...section.split(/^### /m)[0]!.matchAll(/^\| (`[^|]*) \|/gm)].map(([, cell]) => cell ?? '')
  return cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, line]) => line ?? ''))
}
