/** The images that the Dockerfile begins with, made from packages: Debian by debootstrap, Node from its npm package. */
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface BaseRoot {
  /** Folders that lie over each other, the uppermost first. */
  readonly layers: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/** What Debian leaves out of its slim images (dpkg's path-exclude), with what an installation leaves behind. */
const notInSlim = [
  'usr/share/doc/*/*',
  'usr/share/info/*',
  'usr/share/lintian/overrides/*',
  'usr/share/locale/*',
  'usr/share/man/*',
  'usr/share/groff/*',
  'var/lib/apt/lists/*',
  'var/cache/apt/*.bin',
  'var/cache/apt/archives/*.deb',
  'var/cache/ldconfig/aux-cache',
  'var/log/*.log',
  'var/log/apt/*',
]

/** What npm does with the packages of this major is what the official image of Node 22 does. */
const npmMajor = 10

export class BaseRoots {
  readonly #folder: string
  readonly #savedDebian: string | undefined
  readonly #made = new Map<string, BaseRoot>()

  /** @param savedDebian a tar file to take Debian from; made when it is not there */
  constructor(folder: string, savedDebian: string | undefined) {
    this.#folder = folder
    this.#savedDebian = savedDebian
  }

  /** @throws Error for an image that cannot be made here */
  get(image: string): BaseRoot {
    const made = this.#made.get(image) ?? this.#make(image)
    this.#made.set(image, made)
    return made
  }

  #make(image: string): BaseRoot {
    const debian = /^debian:([a-z]+)-slim$/.exec(image)?.[1]
    if (debian !== undefined) return { layers: [this.#makeDebian(debian)], env: {} }
    const node = /^node:(\d+)-([a-z]+)-slim$/.exec(image)
    if (node?.[1] === undefined)
      throw new Error(`${image}: only debian:RELEASE-slim and node:MAJOR-RELEASE-slim can be made`)
    const { layers } = this.get(`debian:${node[2]}-slim`)
    return { layers: [this.#makeNode(node[1]), ...layers], env: {} }
  }

  #makeDebian(release: string): string {
    const root = this.#newFolder(`debian-${release}`)
    if (this.#savedDebian !== undefined && existsSync(this.#savedDebian)) {
      must('tar', ['-xpf', this.#savedDebian, '-C', root])
      return root
    }
    must('debootstrap', ['--variant=minbase', release, root])
    for (const pattern of notInSlim) removeMatching(root, pattern)
    // debootstrap copies them from the host; an engine mounts its own over them.
    for (const file of ['etc/resolv.conf', 'etc/hosts', 'etc/hostname']) writeFileSync(join(root, file), '')
    if (this.#savedDebian !== undefined) must('tar', ['-cpf', this.#savedDebian, '-C', root, '.'])
    return root
  }

  /** Node and npm where the official image has them. */
  #makeNode(major: string): string {
    const root = this.#newFolder(`node-${major}`)
    const download = mkdtempSync(join(this.#folder, 'npm-'))
    const platform = `node-${process.platform}-${process.arch}`
    const install = [
      'install',
      '--no-save',
      '--no-package-lock',
      '--no-audit',
      '--no-fund',
      '--ignore-scripts',
      '--prefix',
    ]
    must('npm', [...install, download, `${platform}@${major}`, `npm@${npmMajor}`])
    const packages = join(download, 'node_modules')
    const local = join(root, 'usr/local')
    mkdirSync(join(local, 'bin'), { recursive: true })
    cpSync(join(packages, platform, 'bin/node'), join(local, 'bin/node'))
    cpSync(join(packages, platform, 'LICENSE'), join(local, 'LICENSE'))
    cpSync(join(packages, 'npm'), join(local, 'lib/node_modules/npm'), { recursive: true, verbatimSymlinks: true })
    for (const name of ['npm', 'npx']) {
      symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, join(local, 'bin', name))
    }
    rmSync(download, { recursive: true })
    return root
  }

  #newFolder(name: string): string {
    const path = join(this.#folder, name)
    mkdirSync(path)
    return path
  }
}

/** What npm on this machine knows of registries, proxies and certificates. */
export function builderNetwork(): { env: Record<string, string>; caFile: string | undefined } {
  const env: Record<string, string> = {}
  for (const name of ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy']) {
    const value = process.env[name]
    if (value !== undefined) env[name] = value
  }
  const registry = spawnSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8' }).stdout.trim()
  if (registry !== '') env['npm_config_registry'] = registry
  const caFile = process.env['NODE_EXTRA_CA_CERTS']
  return { env, caFile: caFile !== undefined && existsSync(caFile) ? caFile : undefined }
}

/** The pretty name of the Debian in a root, with its point release. */
export function debianName(root: string): string {
  return `Debian ${readFileSync(join(root, 'etc/debian_version'), 'utf8').trim()}`
}

/** @param pattern shell pattern below the root; the copyright of each package stays */
function removeMatching(root: string, pattern: string): void {
  must('find', [root, '-depth', '-path', join(root, pattern), '!', '-type', 'd', '!', '-name', 'copyright', '-delete'])
}

/** Runs a program of the host. @throws Error with its output when it fails */
export function must(program: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
  if (error !== undefined) throw error
  if (status !== 0) {
    const tail = `${stdout}\n${stderr}`.trim().split('\n').slice(-15).join('\n')
    throw new Error(`${program} ${args.join(' ')} ended with ${status}:\n${tail}`)
  }
  return stdout
}
