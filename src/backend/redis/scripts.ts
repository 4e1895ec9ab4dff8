import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Script } from './link.js'

const folder = join(import.meta.dirname, 'scripts')

/**
 * Reads `scripts/NAME.lua`, which the build copies next to the compiled module.
 * @param parts names of files of the same folder that go in front, in this order
 * @throws Error when there is no such file
 */
export function loadScript(name: string, parts: readonly string[] = []): Script {
  const texts = [...parts, name].map((file) => readFileSync(join(folder, `${file}.lua`), 'utf8'))
  return { name, source: texts.join('\n') }
}

/** A script as one kind of server gets it. */
export interface PreparedScript {
  readonly body: string
  readonly sha: string
}

/** The same scripts serve every deployment: what differs is put in front as `publish(channel, message)`. */
export class PreparedScripts {
  readonly #prelude: string
  readonly #prepared = new WeakMap<Script, PreparedScript>()

  /** @param sharded publish with SPUBLISH, as a cluster needs it */
  constructor(sharded: boolean) {
    const call = sharded ? `redis.call('SPUBLISH', channel, message)` : `redis.call('PUBLISH', channel, message)`
    this.#prelude = `local function publish(channel, message) return ${call} end\n`
  }

  of(script: Script): PreparedScript {
    let prepared = this.#prepared.get(script)
    if (prepared === undefined) {
      const body = this.#prelude + script.source
      prepared = { body, sha: createHash('sha1').update(body).digest('hex') }
      this.#prepared.set(script, prepared)
    }
    return prepared
  }
}
