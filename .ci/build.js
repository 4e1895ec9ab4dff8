/**
 * Builds `dist/` from `src/`: `node .ci/build.js [--if-stale]`.
 *
 * Files that are not TypeScript (Lua scripts) are copied. The compiler writes into a fresh folder that then takes the place of `dist/`, so that files of deleted sources do not
 * stay, a failed build changes nothing, and a build beside a running server never shows it half a program.
 */
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, readdirSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const entry = join(root, 'dist/main.js')

if (!process.argv.includes('--if-stale') || isStale()) build()

function isStale() {
  if (!existsSync(entry)) return true
  const builtAtMs = statSync(entry).mtimeMs
  return newestMs(join(root, 'src')) > builtAtMs || statSync(join(root, 'tsconfig.json')).mtimeMs > builtAtMs
}

/** The newest change in a folder, in ms; the folder's own time counts as well, because deleting a file changes only that. */
function newestMs(folder) {
  let newest = statSync(folder).mtimeMs
  for (const item of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, item.name)
    newest = Math.max(newest, item.isDirectory() ? newestMs(path) : statSync(path).mtimeMs)
  }
  return newest
}

function build() {
  const startedAt = new Date()
  const fresh = join(root, `dist.new-${process.pid}`)
  rmSync(fresh, { recursive: true, force: true })
  try {
    const problem = compile(fresh)
    if (problem === undefined) {
      // A source that changed while the compiler ran leaves the build stale.
      utimesSync(join(fresh, 'main.js'), startedAt, startedAt)
      rmSync(join(root, 'dist'), { recursive: true, force: true })
      renameSync(fresh, join(root, 'dist'))
    } else {
      console.error(`build failed: ${problem}`)
      process.exitCode = 1
    }
  } finally {
    rmSync(fresh, { recursive: true, force: true })
  }
}

/** Compiles into the folder; answers what went wrong, if anything. */
function compile(folder) {
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc')
  const { status } = spawnSync(process.execPath, [tsc, '--outDir', folder], { cwd: root, stdio: 'inherit' })
  if (status !== 0) return 'the compiler reported the errors above; dist/ is unchanged'
  if (!existsSync(join(folder, 'main.js'))) return 'src/main.ts is missing, and without it there is no command to run'
  chmodSync(join(folder, 'main.js'), 0o755)
  cpSync(join(root, 'src'), folder, { recursive: true, filter: (path) => !path.endsWith('.ts') })
  return undefined
}
