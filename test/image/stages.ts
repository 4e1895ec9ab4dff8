/**
 * Performs the instructions of a Dockerfile in roots made of overlays: what a stage writes lies in a folder of its own, so
 * that its layers can be measured and looked through.
 */
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { basename, dirname, join, normalize, relative, resolve } from 'node:path'
import { must, type BaseRoots } from './base-roots.js'
import { runStep, type BuilderNetwork } from './container.js'
import { complaint, pairsOf, wordsOf, type Dockerfile, type Instruction, type Stage } from './dockerfile.js'

/** What an image says of how it is run. */
export interface ImageConfig {
  env: Record<string, string>
  labels: Record<string, string>
  workdir: string
  uid: number
  gid: number
  exposed: string[]
  stopSignal: string
  healthcheck: readonly string[]
  entrypoint: readonly string[]
  cmd: readonly string[]
}

export interface BuiltStage {
  /** Its files, as a program in it sees them. */
  readonly root: string
  /** What it has added to the image it began with. */
  readonly own: string
  /** Its own folder and those below, the uppermost first. */
  readonly layers: readonly string[]
  readonly config: ImageConfig
}

export interface BuildOptions {
  readonly dockerfile: Dockerfile
  /** Folder of the repository. */
  readonly context: string
  readonly ignored: (path: string) => boolean
  readonly bases: BaseRoots
  /** Where the stages are put. */
  readonly folder: string
  readonly network: BuilderNetwork
  readonly log: (line: string) => void
}

const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** @returns the last stage @throws Error when an instruction fails or is not understood */
export function buildImage(options: BuildOptions): BuiltStage {
  const built = new Map<string, BuiltStage>()
  let last: BuiltStage | undefined
  for (const [index, stage] of options.dockerfile.stages.entries()) {
    const builder = new StageBuilder(stage, `${index}`, built, options)
    for (const instruction of stage.instructions) {
      const startedAtMs = performance.now()
      const note = builder.perform(instruction)
      const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(1)
      options.log(`[${stage.name ?? 'final'}] ${instruction.name} ${instruction.text} (${seconds} s)${note}`)
    }
    last = builder.stage
    built.set(`${index}`, last)
    if (stage.name !== undefined) built.set(stage.name, last)
  }
  if (last === undefined) throw new Error('no stage')
  return last
}

/** Mounts what was built so that nobody can write to it, in place of what was written to. */
export function mountReadOnly({ root, layers }: BuiltStage): void {
  must('umount', [root])
  must('mount', ['-t', 'overlay', 'overlay', '-o', `ro,lowerdir=${layers.join(':')}`, root])
}

class StageBuilder {
  readonly stage: BuiltStage
  readonly #built: ReadonlyMap<string, BuiltStage>
  readonly #options: BuildOptions

  constructor({ from }: Stage, name: string, built: ReadonlyMap<string, BuiltStage>, options: BuildOptions) {
    this.#built = built
    this.#options = options
    const earlier = built.get(from)
    const base = earlier ?? options.bases.get(from)
    const folders = { root: `${name}-root`, own: `${name}-own`, work: `${name}-work` }
    for (const folder of Object.values(folders)) mkdirSync(join(options.folder, folder))
    const [root, own, work] = [folders.root, folders.own, folders.work].map((folder) => join(options.folder, folder))
    if (root === undefined || own === undefined || work === undefined) throw new Error('no folders')
    const lower = base.layers.join(':')
    must('mount', ['-t', 'overlay', 'overlay', '-o', `lowerdir=${lower},upperdir=${own},workdir=${work}`, root])
    const config = earlier === undefined ? freshConfig() : structuredClone(earlier.config)
    this.stage = { root, own, layers: [own, ...base.layers], config }
  }

  /** @returns what the step has to tell, on lines of its own */
  perform(instruction: Instruction): string {
    const { config } = this.stage
    const { name, text } = instruction
    if (name !== 'COPY' && name !== 'HEALTHCHECK' && instruction.flags.size > 0) {
      throw complaint(instruction, 'its flags are not understood')
    }
    if (name === 'RUN') return this.#run(instruction)
    if (name === 'COPY') this.#copy(instruction)
    else if (name === 'ENV') Object.assign(config.env, Object.fromEntries(pairsOf(instruction)))
    else if (name === 'LABEL') Object.assign(config.labels, Object.fromEntries(pairsOf(instruction)))
    else if (name === 'WORKDIR') this.#workdir(text)
    else if (name === 'USER') Object.assign(config, userOf(instruction))
    else if (name === 'EXPOSE') config.exposed.push(...wordsOf(text))
    else if (name === 'STOPSIGNAL') config.stopSignal = text
    else if (name === 'HEALTHCHECK') config.healthcheck = execOf(instruction)
    else if (name === 'ENTRYPOINT') Object.assign(config, { entrypoint: execOf(instruction), cmd: [] })
    else if (name === 'CMD') config.cmd = execOf(instruction)
    else throw complaint(instruction, 'there is no code that performs it')
    return ''
  }

  #workdir(path: string): void {
    const { config } = this.stage
    config.workdir = resolve(config.workdir, path)
    mkdirSync(this.#inside(config.workdir), { recursive: true })
  }

  #run(instruction: Instruction): string {
    const { root, config } = this.stage
    const { workdir, uid, gid } = config
    const command = instruction.exec ?? ['/bin/sh', '-c', instruction.text]
    const env = { PATH: defaultPath, HOME: uid === 0 ? '/root' : '/', ...config.env }
    const { code, output } = runStep({ root, workdir, uid, gid, env, command }, this.#options.network)
    const told = output.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('npm notice'))
    const lines = told.slice(-20).join('\n    ')
    if (code !== 0) throw complaint(instruction, `ended with ${code}:\n    ${lines}`)
    return lines === '' ? '' : `\n    ${lines}`
  }

  #copy(instruction: Instruction): void {
    const { flags, text } = instruction
    const from = flags.get('from')
    if ([...flags.keys()].some((flag) => flag !== 'from')) throw complaint(instruction, 'only --from is understood')
    if (instruction.exec !== undefined || /[*?[]/.test(text))
      throw complaint(instruction, 'only plain paths are understood')
    const words = wordsOf(text)
    const destination = words.at(-1) ?? ''
    const sources = words.slice(0, -1)
    if (sources.length === 0) throw complaint(instruction, 'a source and a destination are needed')
    const stage = from === undefined ? undefined : this.#built.get(from)
    if (from !== undefined && stage === undefined) throw complaint(instruction, `there is no stage ${from} before`)
    const top = stage?.root ?? this.#options.context
    const intoFolder = destination.endsWith('/') || sources.length > 1
    if (sources.length > 1 && !destination.endsWith('/')) throw complaint(instruction, 'several sources need a folder/')
    for (const source of sources) {
      const path = join(top, normalize(join('/', source)))
      if (!existsSync(path)) throw complaint(instruction, `${source} is not there`)
      if (lstatSync(path).isSymbolicLink()) throw complaint(instruction, `${source} is a link, which engines follow`)
      const target = this.#inside(resolve(this.stage.config.workdir, destination))
      const isFolder = statSync(path).isDirectory()
      const keep = stage === undefined ? (file: string) => !this.#options.ignored(relative(top, file)) : () => true
      const copied = copyTree(path, isFolder || !intoFolder ? target : join(target, basename(path)), keep)
      if (copied === 0) throw complaint(instruction, `.dockerignore keeps ${source} out of the build`)
    }
  }

  /** Where a path of the image lies outside. @throws Error when a link leads out of the root */
  #inside(path: string): string {
    const { root } = this.stage
    const outside = join(root, path)
    let there = outside
    while (!existsSync(there)) there = dirname(there)
    if (relative(root, realpathSync(there)).startsWith('..')) throw new Error(`${path} leads out of the root`)
    return outside
  }
}

function freshConfig(): ImageConfig {
  const lists = { exposed: [], healthcheck: [], entrypoint: [], cmd: [] }
  return { env: { PATH: defaultPath }, labels: {}, workdir: '/', uid: 0, gid: 0, stopSignal: 'SIGTERM', ...lists }
}

function userOf(instruction: Instruction): { uid: number; gid: number } {
  const parts = /^(\d+)(?::(\d+))?$/.exec(instruction.text)
  if (parts === null) throw complaint(instruction, 'only numbers are understood')
  return { uid: Number(parts[1]), gid: Number(parts[2] ?? 0) }
}

function execOf(instruction: Instruction): readonly string[] {
  if (instruction.exec === undefined) throw complaint(instruction, 'not a list of words: it would need a shell')
  return instruction.exec
}

/** Copies as COPY does: owned by root, links as links, folders only where something comes into them. @returns how many files */
function copyTree(source: string, target: string, keep: (path: string) => boolean): number {
  const stat = lstatSync(source)
  if (stat.isDirectory()) {
    let copied = 0
    for (const name of readdirSync(source)) copied += copyTree(join(source, name), join(target, name), keep)
    if (copied > 0) chmodSync(target, stat.mode)
    return copied
  }
  if (!keep(source)) return 0
  mkdirSync(dirname(target), { recursive: true })
  rmSync(target, { force: true })
  if (stat.isSymbolicLink()) {
    symlinkSync(readlinkSync(source), target)
  } else {
    copyFileSync(source, target)
    chmodSync(target, stat.mode)
    chownSync(target, 0, 0)
  }
  return 1
}
