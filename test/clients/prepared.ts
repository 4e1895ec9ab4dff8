/**
 * Copies of the programs, in which their packages are fetched and built: `.scratch/clients/NAME-HASH/NAME`, with the folders that it
 * shares and its cache beside it. The hash is that of everything copied: a copy is prepared once, and serves until the program changes.
 */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { findProgram } from '../harness/find-program.js'
import { endTogether } from '../harness/end-together.js'
import type { ClientProgram } from './programs.js'

const here = import.meta.dirname
const copies = join(here, '../../.scratch/clients')
const prepareMs = 600_000
const outputLinesMax = 30
/** What somebody who tried a program by hand may have left in its folder. */
const built = new Set(['node_modules', 'target', '.venv', '__pycache__'])
/** Programs that have other names on other systems. */
const otherNames: Readonly<Record<string, readonly string[]>> = {
  chromium: ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'],
}

/** A program that can be started. */
export interface Ready {
  readonly state: 'ready'
  readonly folder: string
  readonly command: readonly string[]
  /** Besides what every program gets. */
  readonly environment: Readonly<Record<string, string>>
}

export type Prepared =
  | Ready
  /** The machine lacks something that the program needs. */
  | { readonly state: 'skipped'; readonly reason: string }
  | { readonly state: 'failed'; readonly reason: string }

/** Makes the copy, unless it is there. @param print told of what takes long */
export async function prepared(program: ClientProgram, print: (line: string) => void): Promise<Prepared> {
  const environment: Record<string, string> = {}
  for (const name of program.needs) {
    const names = otherNames[name] ?? [name]
    const path = findProgram(...names)
    if (path === undefined) return { state: 'skipped', reason: `needs ${name}: no ${names.join(' or ')} in PATH` }
    if (name === 'chromium') environment['CHROMIUM_PATH'] = path
  }
  const sources = [program.name, ...program.shares]
  const copy = join(copies, `${program.name}-${hashOf(sources)}`)
  const places = { FOLDER: join(copy, program.name), CACHE_DIR: join(copy, 'cache') }
  // A script that imports a file of its folder must not leave what changes the hash.
  Object.assign(environment, places, { PYTHONDONTWRITEBYTECODE: '1' })
  const ready: Ready = {
    state: 'ready',
    folder: places.FOLDER,
    command: program.run.map((word) => placed(word, places)),
    environment,
  }
  const marker = join(copy, 'prepared')
  if (existsSync(marker)) return ready
  await removeCopiesOf(program.name)
  for (const source of sources) cpSync(join(here, source), join(copy, source), { recursive: true, filter: isSource })
  mkdirSync(places.CACHE_DIR)
  print(`${program.name}: fetching and building`)
  const problem = await build(
    program.prepare.map((word) => placed(word, places)),
    ready,
  )
  if (problem !== undefined) return { state: 'failed', reason: `its preparation ${problem}` }
  writeFileSync(marker, '')
  return ready
}

function placed(word: string, { FOLDER, CACHE_DIR }: { FOLDER: string; CACHE_DIR: string }): string {
  return word.replaceAll('$FOLDER', FOLDER).replaceAll('$CACHE_DIR', CACHE_DIR)
}

function hashOf(sources: readonly string[]): string {
  const hash = createHash('sha256')
  for (const source of sources) {
    for (const path of filesBelow(join(here, source))) {
      hash
        .update(`${relative(here, path)}\n`)
        .update(readFileSync(path))
        .update('\n')
    }
  }
  return hash.digest('hex').slice(0, 12)
}

function filesBelow(folder: string): string[] {
  const items = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))
  return items.flatMap((item) => {
    const path = join(folder, item.name)
    if (!isSource(path)) return []
    return item.isDirectory() ? filesBelow(path) : [path]
  })
}

/** By the names below this folder only: the repository itself may stand in one of any name. */
function isSource(path: string): boolean {
  return !relative(here, path)
    .split('/')
    .some((name) => built.has(name))
}

/** Not in one go: thousands of files take seconds, and this process is the load balancer of a program that plays meanwhile. */
async function removeCopiesOf(name: string): Promise<void> {
  mkdirSync(copies, { recursive: true })
  for (const item of readdirSync(copies)) {
    // The hash has no hyphen, so that the copies of `python-pusher-x` are not those of `python-pusher`.
    if (item.slice(0, item.lastIndexOf('-')) === name) await rm(join(copies, item), { recursive: true, force: true })
  }
}

/** @returns what went wrong, with the end of what it printed */
function build([name = '', ...words]: readonly string[], { folder, environment }: Ready): Promise<string | undefined> {
  return new Promise((resolve) => {
    const env = { ...process.env, ...environment }
    const child = spawn(name, words, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'], timeout: prepareMs })
    endTogether(child)
    let printed = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (printed += text))
    }
    child.once('error', (error) => resolve(`did not start: ${error.message}`))
    child.once('close', (code, signal) => {
      if (code === 0) resolve(undefined)
      else resolve(`ended with ${code ?? signal}:\n${printed.trimEnd().split('\n').slice(-outputLinesMax).join('\n')}`)
    })
  })
}
