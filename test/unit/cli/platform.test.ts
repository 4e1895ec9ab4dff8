import { describe, expect, it } from 'vitest'
import { platformProblem, thisPlatform, type Platform } from '../../../src/cli/platform.js'

const fitting: Platform = { node: '20.20.2', system: 'linux', processor: 'x64', glibc: () => '2.36' }

describe('the platform', () => {
  it('of these tests fits', () => {
    expect(platformProblem(thisPlatform())).toBeUndefined()
  })

  it.each<Partial<Platform>>([
    {},
    { node: '22.1.0' },
    { node: '20.12.0' },
    { node: '21.7.0' },
    { processor: 'arm64', glibc: () => '2.27' },
    { system: 'darwin', processor: 'arm64', glibc: () => undefined },
    { system: 'win32', glibc: () => undefined },
  ])('%j fits', (changes) => {
    expect(platformProblem({ ...fitting, ...changes })).toBeUndefined()
  })

  it.each<[Partial<Platform>, string]>([
    [{ node: '18.20.0' }, 'Belfry cannot run on Node.js 18.20.0: '],
    [{ node: '20.11.1' }, 'Belfry cannot run on Node.js 20.11.1: '],
    [{ node: '21.6.0' }, 'Belfry cannot run on Node.js 21.6.0: '],
    [{ node: '24.0.0' }, 'Belfry cannot run on Node.js 24.0.0: '],
    [{ processor: 'riscv64' }, 'Belfry cannot run on linux riscv64: '],
    [{ system: 'freebsd' }, 'Belfry cannot run on freebsd x64: '],
    [
      { glibc: () => undefined },
      "Belfry cannot run with this system's C library, which is not glibc (Alpine has musl): ",
    ],
    [{ glibc: () => '2.26' }, 'Belfry cannot run with glibc 2.26: '],
  ])('%j is told in one sentence', (changes, beginning) => {
    const problem = platformProblem({ ...fitting, ...changes })
    expect(problem?.startsWith(beginning)).toBe(true)
    expect(problem).toMatch(
      /built for Node\.js 20 \(from 20\.12\), 21 \(from 21\.7\) and 22, on Linux with glibc 2\.27 or newer[^.]*\.$/,
    )
  })
})
