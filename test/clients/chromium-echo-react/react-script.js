/** React for a page without a bundler. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const require = createRequire(import.meta.url)
/** Each after those that it requires. */
const sources = {
  react: 'react/cjs/react.production.js',
  scheduler: 'scheduler/cjs/scheduler.production.js',
  'react-dom': 'react-dom/cjs/react-dom.production.js',
  'react-dom/client': 'react-dom/cjs/react-dom-client.production.js',
}

/** A classic script that leaves the modules in `window.commonJs`. */
export function reactScript(folder) {
  const parts = Object.entries(sources).map(([name, file]) => {
    const text = readFileSync(join(folder, file), 'utf8')
    return `add(${JSON.stringify(name)}, (module, exports, require) => {\n${text}\n})`
  })
  const add = `const add = (name, body) => {
    const module = { exports: {} }
    body(module, module.exports, (wanted) => window.commonJs[wanted])
    window.commonJs[name] = module.exports
  }`
  return `window.commonJs = {};\n(() => {\n${add}\n${parts.join('\n')}\n})()`
}

/** An ES module with the same exports. */
export function reactModule(name) {
  const names = Object.keys(require(name)).filter((key) => /^[a-zA-Z]+$/.test(key))
  return `const all = window.commonJs[${JSON.stringify(name)}]\nexport default all\nexport const { ${names.join(', ')} } = all`
}
