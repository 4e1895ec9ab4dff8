/** Whether this process can load the WebSocket library at all. Imports nothing, so that it can speak before anything else fails. */

export interface Platform {
  /** As `process.versions.node`: `20.12.2`. */
  readonly node: string
  /** As `process.platform` and `process.arch`. */
  readonly system: string
  readonly processor: string
  /** Version of glibc, undefined where the C library is another one. Only asked on Linux. */
  readonly glibc: () => string | undefined
}

/** First release of each supported line: `crypto.hash` is used throughout. */
const oldestNode: ReadonlyMap<number, number> = new Map([
  [20, 12],
  [21, 7],
  [22, 0],
])
const systems = new Set(['linux x64', 'linux arm64', 'linux arm', 'darwin x64', 'darwin arm64', 'win32 x64'])
const oldestGlibc = [2, 27] as const

const supported =
  'the WebSocket library is built for Node.js 20 (from 20.12), 21 (from 21.7) and 22, on Linux with glibc 2.27 or newer, macOS and Windows'

/** One sentence that says what does not fit, or undefined when everything does. */
export function platformProblem(platform: Platform): string | undefined {
  const [major = 0, minor = 0] = numbersOf(platform.node)
  const oldestMinor = oldestNode.get(major)
  if (oldestMinor === undefined || minor < oldestMinor) {
    return `Belfry cannot run on Node.js ${platform.node}: ${supported}.`
  }
  if (!systems.has(`${platform.system} ${platform.processor}`)) {
    return `Belfry cannot run on ${platform.system} ${platform.processor}: ${supported}.`
  }
  if (platform.system !== 'linux') return undefined
  const glibc = platform.glibc()
  if (glibc === undefined) {
    return `Belfry cannot run with this system's C library, which is not glibc (Alpine has musl): ${supported}.`
  }
  const [first = 0, second = 0] = numbersOf(glibc)
  const isOld = first < oldestGlibc[0] || (first === oldestGlibc[0] && second < oldestGlibc[1])
  return isOld ? `Belfry cannot run with glibc ${glibc}: ${supported}.` : undefined
}

/** The platform of this process. */
export function thisPlatform(): Platform {
  return { node: process.versions.node, system: process.platform, processor: process.arch, glibc: glibcVersion }
}

function glibcVersion(): string | undefined {
  const report: unknown = process.report.getReport()
  if (typeof report !== 'object' || report === null || !('header' in report)) return undefined
  const { header } = report
  if (typeof header !== 'object' || header === null || !('glibcVersionRuntime' in header)) return undefined
  return typeof header.glibcVersionRuntime === 'string' ? header.glibcVersionRuntime : undefined
}

function numbersOf(version: string): number[] {
  return version.split('.').map(Number)
}
