import { describe, test } from 'vitest'
import { findProgram } from './harness/find-program.js'

/** A program that some suites need and not every machine has. */
export type RequirementName =
  'redis' | 'chromium' | 'nginx' | 'haproxy' | 'caddy' | 'helm' | 'kubeconform' | 'promtool' | 'systemd-analyze'

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
  nginx: ['nginx'],
  haproxy: ['haproxy'],
  caddy: ['caddy'],
  'systemd-analyze': ['systemd-analyze'],
  kubeconform: ['kubeconform'],
  promtool: ['promtool'],
  helm: ['helm'],
}

/** Where the program is, or in one sentence why a suite that needs it cannot run. */
export function requirement(name: RequirementName): Requirement {
  const path = findProgram(...commands[name])
  if (path !== undefined) return { available: true, path }
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
    if (isKnown(name)) return name
    throw new Error(`BELFRY_TEST_REQUIRE names ${name}; known are ${Object.keys(commands).join(', ')}`)
  })
}

function isKnown(name: string): name is RequirementName {
  return Object.hasOwn(commands, name)
}
