import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { generatedFiles } from '../../../.ci/generate.js'

const files = await generatedFiles()

it.each([...files.keys()])('%s is what `npm run generate` writes', (path) => {
  const current = readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8')
  expect(current, `${path} is stale: run npm run generate`).toBe(files.get(path))
})
