/** Fetches a server from the package registry into a folder that git ignores. Nothing of it is a dependency of ours. */
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

const peersFolder = join(import.meta.dirname, '..', '.peers')
const installMs = 300_000
/** Holds the files' texts once npm has ended well; a half-done installation has none. */
const doneFile = 'installed'

export interface NpmPeer {
  /** Its folder among the ignored ones. */
  readonly name: string
  /** File name → text, `package.json` among them; other texts than last time install it anew. */
  readonly files: Readonly<Record<string, string>>
}

export function folderOf({ name }: NpmPeer): string {
  return join(peersFolder, name)
}

/**
 * Runs no script of any package: what needs building is not usable here.
 * @throws Error in one sentence when npm fails
 */
export async function installFromRegistry(peer: NpmPeer, report: (line: string) => void): Promise<void> {
  const folder = folderOf(peer)
  const wanted = JSON.stringify(peer.files)
  const done = join(folder, doneFile)
  if (existsSync(done) && readFileSync(done, 'utf8') === wanted) return
  report(`fetching ${peer.name} into bench/.peers/${peer.name}`)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  for (const [file, text] of Object.entries(peer.files)) writeFileSync(join(folder, file), text)
  const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock', '--loglevel', 'error']
  try {
    await promisify(execFile)('npm', ['install', ...options], { cwd: folder, timeout: installMs })
  } catch (error) {
    throw new Error(`${peer.name} could not be fetched: ${reasonOf(error)}`, { cause: error })
  }
  writeFileSync(done, wanted)
}

/** The name and version an installed package gives itself; undefined when it is not there. */
export function installedVersion(peer: NpmPeer, packageName: string): string | undefined {
  try {
    const file = join(folderOf(peer), 'node_modules', packageName, 'package.json')
    const { name, version } = JSON.parse(readFileSync(file, 'utf8')) as { name: string; version: string }
    return `${name} ${version}`
  } catch {
    return undefined
  }
}

function reasonOf(error: unknown): string {
  const text = error instanceof Error && 'stderr' in error ? String(error.stderr) : ''
  return text.trim() === '' ? String(error) : text.trim().slice(0, 500)
}
