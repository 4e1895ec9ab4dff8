/**
 * Runs a program in a root of its own, as a container engine would: its own process numbers (it is number 1), its own
 * mounts, no program of the host. Nothing of it outlives the caller: process group and mounts end with their namespaces.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

export interface Call {
  /** Path of the mounted root. */
  readonly root: string
  readonly workdir: string
  readonly uid: number
  readonly gid: number
  /** All that the program gets. */
  readonly env: Readonly<Record<string, string>>
  readonly command: readonly string[]
}

export interface Ended {
  readonly code: number | null
  /** Standard output and standard error. */
  readonly output: string
}

/** In the host's words, before the root is entered: what every engine mounts into a container. $1 is the root. */
const mounts = `
mount -t proc proc "$1/proc"
mount -t tmpfs -o mode=755,size=64k tmpfs "$1/dev"
for device in null:3 zero:5 full:7 random:8 urandom:9; do mknod -m 666 "$1/dev/\${device%:*}" c 1 "\${device#*:}"; done`

const enter = `
root=$1 workdir=$2 uid=$3 gid=$4
shift 4
exec setpriv --no-new-privs unshare --root="$root" --wd="$workdir" --setgid="$gid" --setuid="$uid" -- "$@"`

/** What a builder's steps may know of the host to reach a package registry, as engines hand it to them. */
export interface BuilderNetwork {
  readonly env: Readonly<Record<string, string>>
  /** Certificates to trust beside those of Node. */
  readonly caFile: string | undefined
}

const caInside = '/run/secrets/ca.pem'
const network = `
mount --bind /etc/resolv.conf "$1/etc/resolv.conf"
mount --bind /etc/hosts "$1/etc/hosts"
mount -t tmpfs -o mode=755 tmpfs "$1/run"
if [ -n "$BUILDER_CA" ]; then mkdir "$1/run/secrets"; cp "$BUILDER_CA" "$1${caInside}"; fi
unset BUILDER_CA`

const isolated = ['--mount', '--pid', '--fork', '--kill-child', '/bin/sh', '-ec']

/** Runs a step of a build to its end, on a root that can be written to. */
export function runStep(call: Call, { env, caFile }: BuilderNetwork): Ended {
  const inside = { ...env, ...(caFile === undefined ? {} : { NODE_EXTRA_CA_CERTS: caInside }), ...call.env }
  const { status, stdout, error } = spawnSync(
    'unshare',
    [...isolated, `exec 2>&1\n${mounts}${network}${enter}`, 'sh', ...argumentsOf(call)],
    { env: { ...inside, BUILDER_CA: caFile ?? '' }, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 },
  )
  if (error !== undefined) throw error
  return { code: status, output: stdout }
}

/** A program that goes on running, as process 1 of its own; its devices cannot be written to either. */
export class Container {
  readonly #call: Call
  readonly #process: ChildProcess
  output = ''
  /** Set when it has ended; null when a signal ended it. */
  ended: { readonly code: number | null } | undefined

  constructor(call: Call) {
    this.#call = call
    const script = `${mounts}\nmount -o remount,ro "$1/dev"${enter}`
    this.#process = spawn('unshare', [...isolated, script, 'sh', ...argumentsOf(call)], {
      env: call.env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const take = (chunk: Buffer) => (this.output += chunk.toString())
    this.#process.stdout?.on('data', take)
    this.#process.stderr?.on('data', take)
    this.#process.on('close', (code) => (this.ended = { code }))
  }

  /** Its process number outside, once it is there. */
  get pid(): number | undefined {
    const parent = this.#process.pid
    return processes().find((each) => each.parent === parent)?.pid
  }

  /** Every process in it, itself among them, with the path of its program. */
  processes(): { pid: number; program: string }[] {
    const own = this.pid
    const all = processes()
    const inside = new Set(own === undefined ? [] : [own])
    for (let before = -1; before !== inside.size;) {
      before = inside.size
      for (const { pid, parent } of all) if (inside.has(parent)) inside.add(pid)
    }
    return [...inside].map((pid) => ({ pid, program: readlinkSync(`/proc/${pid}/exe`) }))
  }

  /** A line of its /proc/PID/status. */
  status(field: string): string {
    const text = readFileSync(`/proc/${this.#mustPid()}/status`, 'utf8')
    return new RegExp(`^${field}:[ \\t]*(.*)$`, 'm').exec(text)?.[1] ?? ''
  }

  /** Runs a second program in it, as a health check is run. */
  exec(command: readonly string[], user: { uid: number; gid: number } = this.#call): Promise<Ended> {
    const target = ['--target', String(this.#mustPid()), '--mount', '--pid', '/bin/sh', '-ec', `exec 2>&1${enter}`]
    const child = spawn('nsenter', [...target, 'sh', ...argumentsOf({ ...this.#call, ...user, command })], {
      env: this.#call.env,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    return new Promise((resolve, reject) => {
      let output = ''
      child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
      child.on('error', reject)
      child.on('close', (code) => resolve({ code, output }))
    })
  }

  signal(name: NodeJS.Signals): void {
    process.kill(this.#mustPid(), name)
  }

  /** Ends it at once, if it still runs. */
  kill(): void {
    if (this.ended === undefined) this.#process.kill('SIGKILL')
  }

  #mustPid(): number {
    const { pid } = this
    if (pid === undefined) throw new Error(`it does not run: ${this.output.trim()}`)
    return pid
  }
}

function argumentsOf({ root, workdir, uid, gid, command }: Call): string[] {
  return [root, workdir, String(uid), String(gid), ...command]
}

function processes(): { pid: number; parent: number }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const text = readFileSync(`/proc/${name}/status`, 'utf8')
        return [{ pid: Number(name), parent: Number(/^PPid:\s*(\d+)/m.exec(text)?.[1]) }]
      } catch (_endedMeanwhile) {
        return []
      }
    })
}
