/** `npm run generate`: writes the files that are derived from the code. test/unit/repository/generated.test.ts fails when one is stale. */
import { readFile, writeFile } from 'node:fs/promises'
import { format } from 'prettier'
import { chartValuesSchema } from './chart-schema.js'
import { configJsonSchema } from './config-json-schema.js'
import { configurationPage } from './configuration-page.js'
import { errorsPage } from './errors-page.js'

const root = new URL('..', import.meta.url)

/** Path from the root of the repository → what the file must hold. */
export async function generatedFiles(): Promise<ReadonlyMap<string, string>> {
  const chartSchema = 'deploy/helm/belfry/values.schema.json'
  const chartValues = await readFile(new URL(chartSchema, root), 'utf8')
  return new Map([
    ['config/config.schema.json', await pretty(configJsonSchema(), 'json')],
    ['docs/configuration.md', await pretty(configurationPage(), 'markdown')],
    ['docs/errors.md', await pretty(errorsPage(), 'markdown')],
    [chartSchema, await pretty(chartValuesSchema(chartValues), 'json')],
  ])
}

function pretty(text: string, parser: 'json' | 'markdown'): Promise<string> {
  return format(text, { parser, semi: false, singleQuote: true, printWidth: 120, trailingComma: 'all' })
}

if (process.argv[1] === import.meta.filename) {
  for (const [path, text] of await generatedFiles()) await writeFile(new URL(path, root), text)
}
