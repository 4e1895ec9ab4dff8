/** `npm run generate`: writes the files that are derived from the code. test/unit/repository/generated.test.ts fails when one is stale. */
import { writeFile } from 'node:fs/promises'
import { format } from 'prettier'
import { configJsonSchema } from './config-json-schema.js'
import { configurationPage } from './configuration-page.js'
import { errorsPage } from './errors-page.js'

/** Path from the root of the repository → what the file must hold. */
export async function generatedFiles(): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ['config/config.schema.json', await pretty(configJsonSchema(), 'json')],
    ['docs/configuration.md', await pretty(configurationPage(), 'markdown')],
    ['docs/errors.md', await pretty(errorsPage(), 'markdown')],
  ])
}

function pretty(text: string, parser: 'json' | 'markdown'): Promise<string> {
  return format(text, { parser, semi: false, singleQuote: true, printWidth: 120, trailingComma: 'all' })
}

if (process.argv[1] === import.meta.filename) {
  const root = new URL('..', import.meta.url)
  for (const [path, text] of await generatedFiles()) await writeFile(new URL(path, root), text)
}
