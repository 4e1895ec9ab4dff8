import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { describe, test } from 'vitest'

/** A program that some suites need and not every machine has. */
export type RequirementName = 'redis' | 'chromium'

export type Requirement =
  { readonly available: true; readonly path: string } | { readonly available: false; readonly reason: string }

declare module 'vitest' {
  interface TaskMeta {
    /** Why a skipped suite is skipped; the table at the end of `npm test` prints it. */
    skipReason?: string
  }
}

const commands: Record<RequirementName, readonly string[]> = {
  redis: ['redis-server'],
  chromium: ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'],
}

/** Where the program is, or in one sentence why a suite that needs it cannot run. */
export function requirement(name: RequirementName): Requirement {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    for (const command of commands[name]) {
      const path = join(folder, command)
      if (folder !== '' && isExecutable(path)) return { available: true, path }
    }
  }
  return { available: false, reason: `needs ${name}: no ${commands[name].join(' or ')} in PATH` }
}

/**
 * `describe` for a suite that needs programs: without them it is skipped and the reason printed, or fails when
 * `BELFRY_TEST_REQUIRE` (comma-separated names) demands them.
 * @param body gets the path of each program, in the order of `names`
 */
export function describeWith(
  names: readonly RequirementName[],
  title: string,
  body: (...paths: string[]) => void,
): void {
  const required = requiredNames()
  const paths: string[] = []
  for (const name of names) {
    const found = requirement(name)
    if (found.available) {
      paths.push(found.path)
    } else if (required.includes(name)) {
      describe(title, () => {
        test(`${name} is there, as BELFRY_TEST_REQUIRE demands`, () => {
          throw new Error(found.reason)
        })
      })
      return
    } else {
      describe.skip(title, { meta: { skipReason: found.reason } }, () => body(...names.map(() => 'not installed')))
      return
    }
  }
  describe(title, () => body(...paths))
}

/** The names in `BELFRY_TEST_REQUIRE`. @throws Error when it names something that no suite can need */
export function requiredNames(): RequirementName[] {
  const names = (process.env['BELFRY_TEST_REQUIRE'] ?? '').split(',').filter((name) => name !== '')
  return names.map((name) => {
    if (name === 'redis' || name === 'chromium') return name
    throw new Error(`BELFRY_TEST_REQUIRE names ${name}; known are ${Object.keys(commands).join(', ')}`)
  })
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch (_notThere) {
    return false
  }
}
