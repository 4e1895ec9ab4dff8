/** The part of `npm run test:image` that has namespaces of its own: builds, starts, asks, looks through. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { BaseRoots, builderNetwork, debianName } from './base-roots.js'
import { contentChecks, printContents } from './content-checks.js'
import { parseDockerfile } from './dockerfile.js'
import { ignoreRules } from './dockerignore.js'
import { runChecks, startImage } from './run-checks.js'
import { buildImage, mountReadOnly, type BuiltStage } from './stages.js'

/** @returns what is worth telling; throws when it does not hold */
export interface Check {
  readonly name: string
  readonly run: () => string | Promise<string>
}

const [context = '', folder = '', savedDebian] = process.argv.slice(2)
const counts = { passed: 0, failed: 0, skipped: 0 }

const image = build()
if (image !== undefined) {
  const contents = contentChecks(image, context)
  for (const check of contents) await perform(check)
  mountReadOnly(image)
  const running = await startImage(image)
  try {
    for (const check of runChecks(running, image)) await perform(check)
  } finally {
    running.container.kill()
  }
  if (counts.failed > 0) console.log(`\nit said:\n${running.container.output}`)
  printContents(image)
}
console.log(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
process.exit(counts.failed === 0 ? 0 : 1)

function build(): BuiltStage | undefined {
  const startedAtMs = performance.now()
  try {
    const bases = new BaseRoots(folder, savedDebian)
    const dockerfile = parseDockerfile(readFileSync(join(context, 'Dockerfile'), 'utf8'))
    const ignored = ignoreRules(readFileSync(join(context, '.dockerignore'), 'utf8'))
    const log = (line: string) => console.log(line)
    const built = buildImage({ dockerfile, context, ignored, bases, folder, network: builderNetwork(), log })
    const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(0)
    tell('passed', 'every step of the Dockerfile is performed', `${seconds} s, on ${debianName(built.root)}`)
    return built
  } catch (error) {
    tell('failed', 'every step of the Dockerfile is performed', messageOf(error))
    return undefined
  }
}

async function perform({ name, run }: Check): Promise<void> {
  try {
    tell('passed', name, await run())
  } catch (error) {
    tell('failed', name, messageOf(error))
  }
}

function tell(outcome: keyof typeof counts, name: string, detail: string): void {
  counts[outcome] += 1
  console.log(`${outcome === 'passed' ? 'ok  ' : 'NOT '} ${name}: ${detail}`)
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
