/**
 * Removes from folders what a running server never reads: `node .ci/prune-image.js FOLDER…`. The Dockerfile runs it on
 * `node_modules` and `dist`. It is for images: what it leaves runs, but cannot be developed with.
 *
 * - of uWebSockets.js, the binaries of every platform and Node version but the one this runs on. A platform that has no
 *   binary is an error, so that such an image is never built;
 * - files for compilers, debuggers and readers (declarations, sources, source maps, Markdown). Licences and notices stay;
 * - folders with the tests, benchmarks and examples of packages.
 *
 * Nothing else, and never a file that `require` or `import` could name. Prints what each of the three has saved.
 */
import { existsSync, lstatSync, readdirSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'

const useless = /\.(?:[cm]?ts|map|md)$/i
const legal = /^(?:licen[cs]e|notice|copying|copyright|authors|patents)/i
/** Only directly below a package: deeper down, such a name may belong to the program. */
const uselessFolder = new Set(['test', 'tests', '__tests__', 'bench', 'benchmark', 'benchmarks', 'example', 'examples'])

const folders = process.argv.slice(2)
if (folders.length === 0) fail('usage: node .ci/prune-image.js FOLDER…')
for (const folder of folders) {
  if (!existsSync(folder)) fail(`${folder} is not there`)
  const before = bytesOf(folder)
  const saved = { binaries: 0, 'test folders': 0, 'declarations, maps and texts': 0 }
  if (basename(folder) === 'node_modules') {
    saved.binaries = removeOtherBinaries(join(folder, 'uWebSockets.js/dist/bin'))
    for (const path of packagesIn(folder)) saved['test folders'] += removeTestFolders(path)
  }
  saved['declarations, maps and texts'] = removeUselessFiles(folder)
  const parts = Object.entries(saved).map(([name, bytes]) => `${name} ${megabytes(bytes)}`)
  console.log(`${folder}: ${megabytes(before)} → ${megabytes(bytesOf(folder))} (${parts.join(', ')})`)
}

function removeOtherBinaries(folder) {
  const wanted = `uws_${process.platform}_${process.arch}_${process.versions.modules}.node`
  const binaries = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.node')) : []
  if (!binaries.includes(wanted)) fail(`${folder} has no ${wanted}: uWebSockets.js cannot run on this platform`)
  return sum(binaries.filter((name) => name !== wanted).map((name) => remove(join(folder, name))))
}

/** Every package of a node_modules folder, also those inside of others. */
function packagesIn(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((item) => {
    const path = join(folder, item.name)
    if (!item.isDirectory() || item.name.startsWith('.')) return []
    if (item.name.startsWith('@')) return packagesIn(path)
    const inner = join(path, 'node_modules')
    return [path, ...(existsSync(inner) ? packagesIn(inner) : [])]
  })
}

function removeTestFolders(packagePath) {
  const folders = readdirSync(packagePath, { withFileTypes: true }).filter(
    (item) => item.isDirectory() && uselessFolder.has(item.name.toLowerCase()),
  )
  return sum(folders.map((item) => remove(join(packagePath, item.name))))
}

function removeUselessFiles(folder) {
  return sum(
    readdirSync(folder, { withFileTypes: true }).map((item) => {
      const path = join(folder, item.name)
      if (item.isDirectory()) return removeUselessFiles(path)
      return useless.test(item.name) && !legal.test(item.name) ? remove(path) : 0
    }),
  )
}

/** @returns the bytes it had */
function remove(path) {
  const bytes = bytesOf(path)
  rmSync(path, { recursive: true })
  return bytes
}

function bytesOf(path) {
  const stat = lstatSync(path)
  if (!stat.isDirectory()) return stat.size
  return sum(readdirSync(path).map((name) => bytesOf(join(path, name))))
}

function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0)
}

function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(1)} MB`
}

function fail(reason) {
  console.error(`prune-image: ${reason}`)
  process.exit(1)
}
