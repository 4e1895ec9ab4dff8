/**
 * Runs a TypeScript file outside the build: `node .ci/run-ts.js FILE [ARGUMENTS…]`, or `node --import ./.ci/run-ts.js FILE`.
 *
 * A loader hook strips the types with the installed compiler; everything else is plain Node in this very process, so
 * arguments, exit codes, signals and the speed of what is measured are the program's own. Types are not checked here:
 * `npm run typecheck` does that.
 */
import { readFile } from 'node:fs/promises'
import { register } from 'node:module'
import { resolve as resolvePath } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { isMainThread } from 'node:worker_threads'

const inHookThread = new URL(import.meta.url).searchParams.has('hooks')
const ts = inHookThread ? (await import('typescript')).default : undefined

if (!inHookThread) {
  process.setSourceMapsEnabled(true)
  register(`${import.meta.url}?hooks`)
  if (isMainThread && process.argv[1] === fileURLToPath(import.meta.url)) await runMain()
}

async function runMain() {
  const file = process.argv[2]
  if (file === undefined) {
    console.error('usage: node .ci/run-ts.js FILE [ARGUMENTS…]')
    process.exit(2)
  }
  process.argv.splice(1, 2, resolvePath(file))
  // What child_process.fork() hands to a child, so that a TypeScript file can be forked as well.
  process.execArgv.push('--import', import.meta.url)
  await import(pathToFileURL(process.argv[1]).href)
}

/** Module hook: `./x.js` names `./x.ts` where only that exists, as the compiler has it. */
export async function resolve(specifier, context, nextResolve) {
  try {
    return await nextResolve(specifier, context)
  } catch (error) {
    if (error.code !== 'ERR_MODULE_NOT_FOUND' || !/^(\.|\/|file:).*\.js$/.test(specifier)) throw error
    return nextResolve(specifier.replace(/\.js$/, '.ts'), context)
  }
}

/** Module hook: the JavaScript of a `.ts` file, with a source map for stack traces. */
export async function load(url, context, nextLoad) {
  if (!url.endsWith('.ts')) return nextLoad(url, context)
  const { outputText } = ts.transpileModule(await readFile(new URL(url), 'utf8'), {
    fileName: url,
    compilerOptions: { target: 'es2023', module: 'esnext', verbatimModuleSyntax: true, inlineSourceMap: true },
  })
  return { format: 'module', source: outputText, shortCircuit: true }
}
