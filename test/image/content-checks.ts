/** What must be in the image, what must not, and the table of its sizes. */
import { strict as assert } from 'node:assert'
import { existsSync, readFileSync, readlinkSync } from 'node:fs'
import { basename, join } from 'node:path'
import { bytesOf, compressedBytes, filesOf, megabytes, packagesIn, sizesBy } from './contents.js'
import type { Check } from './proof.js'
import type { BuiltStage } from './stages.js'

interface Lock {
  readonly packages: Readonly<Record<string, { readonly dev?: boolean; readonly optional?: boolean }>>
}

interface Component {
  readonly group?: string
  readonly name: string
  readonly version: string
}

/** Names of programs that build or install; none may be anywhere in the image. */
const tools =
  /^(?:npm|npx|yarn|yarnpkg|pnpm|corepack|tsc|gcc|g\+\+|cc|c\+\+|clang|ld|make|cmake|git|curl|wget|python[\d.]*)$/
const programFolders = ['usr/local/sbin', 'usr/local/bin', 'usr/sbin', 'usr/bin', 'opt']
/** What shells are named, which the image itself must not add; Debian has one of its own. */
const shells = /^(?:sh|ash|bash|dash|busybox|zsh)$/

/** The whole image, by the part it came from, is read once. */
export function contentChecks({ root, own, config }: BuiltStage, context: string): Check[] {
  const added = filesOf(own).map(({ path }) => path)
  const version = json<{ version: string }>(join(context, 'package.json')).version
  return [
    { name: 'exactly one binary of uWebSockets.js', run: () => oneBinary(added) },
    { name: 'the packages of production, and no other', run: () => onlyProduction(root, context) },
    { name: 'no tool that builds or installs', run: () => noTools(root, added) },
    { name: 'no sources, tests, declarations, source maps', run: () => nothingUseless(added) },
    { name: 'licences and notices', run: () => licences(root, added) },
    { name: 'a list of its packages (SBOM)', run: () => sbomLists(root) },
    { name: 'nothing outside of the folders that are meant', run: () => onlyMeantFolders(added) },
    {
      name: 'the labels name version and base',
      run: () => {
        assert.equal(config.labels['org.opencontainers.image.version'], version)
        return `${Object.keys(config.labels).length} labels`
      },
    },
  ]
}

function oneBinary(added: readonly string[]): string {
  const binaries = added.filter((path) => path.endsWith('.node'))
  assert.equal(binaries.length, 1, binaries.join(', '))
  const binary = basename(binaries[0] ?? '')
  assert.match(binary, new RegExp(`^uws_linux_${process.arch}_\\d+\\.node$`))
  return binary
}

function onlyProduction(root: string, context: string): string {
  const { packages } = json<Lock>(join(context, 'package-lock.json'))
  const there = packagesIn(join(root, 'app/node_modules'))
  const wanted = Object.entries(packages).filter(([path, { dev }]) => path !== '' && dev !== true)
  const needed = wanted.filter(([, { optional }]) => optional !== true).map(([path]) => path)
  const allowed = new Set(wanted.map(([path]) => path))
  assert.deepEqual(
    there.filter((path) => !allowed.has(path)),
    [],
    'packages of development',
  )
  assert.deepEqual(
    needed.filter((path) => !there.includes(path)),
    [],
    'packages that are missing',
  )
  return `${there.length} packages`
}

function noTools(root: string, added: readonly string[]): string {
  const everywhere = programFolders
    .filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) => filesOf(join(root, folder)).map(({ path }) => `${folder}/${path}`))
  assert.ok(everywhere.includes('usr/local/bin/node'), 'node itself was not found')
  const found = [...everywhere, ...added].filter((path) => tools.test(basename(path)))
  // A module may be named like a tool; a program it is only in a folder of programs.
  const programs = found.filter((path) => /(?:^|\/)s?bin\//.test(path))
  assert.deepEqual(programs, [])
  assert.deepEqual(
    added.filter((path) => shells.test(basename(path))),
    [],
    'a shell of its own',
  )
  assert.equal(readlinkSync(join(root, 'usr/local/bin/belfry')), '/app/dist/main.js')
  return `none among ${everywhere.length} programs`
}

function nothingUseless(added: readonly string[]): string {
  const wrong = added.filter((path) => /\.(?:[cm]?ts|map)$|^app\/(?:src|test|bench|\.git|\.env)/.test(path))
  assert.deepEqual(wrong, [])
  return `none among ${added.length} files`
}

function licences(root: string, added: readonly string[]): string {
  for (const file of ['app/LICENSE', 'app/NOTICE', 'usr/share/doc/node/LICENSE'])
    assert.ok(existsSync(join(root, file)), file)
  const ofPackages = added.filter((path) => /node_modules\/.*\/licen[cs]e/i.test(path))
  assert.ok(ofPackages.length > 30, `only ${ofPackages.length} of packages`)
  return `3, and ${ofPackages.length} of packages`
}

function sbomLists(root: string): string {
  const file = join(root, 'usr/share/belfry/sbom.cdx.json')
  const { bomFormat, components } = json<{ bomFormat: string; components: Component[] }>(file)
  assert.equal(bomFormat, 'CycloneDX')
  const listed = components.map(
    ({ group, name, version }) => `${group === undefined ? '' : `${group}/`}${name}@${version}`,
  )
  const packages = join(root, 'app')
  const there = packagesIn(join(packages, 'node_modules')).map((path) => {
    const { version } = json<{ version: string }>(join(packages, path, 'package.json'))
    return `${path.replace(/^(?:.*\/)?node_modules\//, '')}@${version}`
  })
  assert.deepEqual([...new Set(listed)].sort(), [...new Set(there)].sort())
  return `${components.length} components, which are the packages that are there`
}

function onlyMeantFolders(added: readonly string[]): string {
  const meant = /^(?:app\/|usr\/local\/bin\/(?:node|belfry)$|usr\/share\/(?:belfry|doc\/node)\/)/
  assert.deepEqual(
    added.filter((path) => !meant.test(path)),
    [],
  )
  return 'app, usr/local/bin, usr/share'
}

/** The table that a person reads. */
export function printContents({ root, own }: BuiltStage): void {
  const [all, added] = [filesOf(root).filter(({ path }) => !/^(?:proc|dev)\//.test(path)), filesOf(own)]
  console.log('\nits own layers, by folder')
  const folderOf = (path: string) =>
    /^(?:app\/node_modules|app\/dist|app|usr\/local\/bin\/[^/]+|usr\/share\/[^/]+)/.exec(path)?.[0]
  printRows(sizesBy(added, (path) => folderOf(path) ?? path))
  console.log('\nthe largest packages')
  const inPackages = added.filter(({ path }) => path.startsWith('app/node_modules/'))
  const packageOf = (path: string) => /^app\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1]
  printRows(sizesBy(inPackages, (path) => packageOf(path) ?? path).slice(0, 8))
  const [whole, ownBytes] = [bytesOf(all), bytesOf(added)]
  console.log('\nin all')
  printRows([
    ['its own layers', ownBytes],
    ['its own layers, compressed (gzip)', compressedBytes(own)],
    ['Debian below', whole - ownBytes],
    ['the whole image', whole],
  ])
}

function printRows(rows: readonly (readonly [name: string, bytes: number])[]): void {
  for (const [name, bytes] of rows) console.log(`  ${name.padEnd(40)}${megabytes(bytes).padStart(12)}`)
}

function json<Content>(file: string): Content {
  return JSON.parse(readFileSync(file, 'utf8')) as Content
}
