/** What our Dockerfile must be like, beside working: rules that a person would check in a review. */
import { pairsOf, wordsOf, type Dockerfile, type Instruction } from './dockerfile.js'

export interface DockerfileRule {
  readonly name: string
  /** @returns what is wrong, undefined when nothing is */
  readonly problem: (file: Dockerfile, version: string) => string | undefined
  /** Makes a Dockerfile that breaks the rule out of ours. */
  readonly broken: (text: string) => string
}

const debianReleases = 'bookworm|trixie'
const labelsNeeded = ['title', 'description', 'version', 'licenses', 'base.name'].map(
  (name) => `org.opencontainers.image.${name}`,
)

export const dockerfileRules: readonly DockerfileRule[] = [
  {
    name: 'every image that it begins with has a major version or a release, and never `latest`',
    problem: ({ stages }) => {
      const names = new Set(stages.map(({ name }) => name))
      const pinned = new RegExp(
        `^[a-z0-9./-]+:(?:\\d[\\w.-]*|(?:${debianReleases})(?:-[\\w.-]+)?)(?:@sha256:[0-9a-f]{64})?$`,
      )
      return stages.map(({ from }) => from).find((from) => !names.has(from) && !pinned.test(from))
    },
    broken: (text) => text.replace('FROM debian:bookworm-slim', 'FROM debian:latest'),
  },
  {
    name: 'it ends on Debian slim, without what Node is installed with',
    problem: ({ stages }) => (/^debian:[a-z]+-slim$/.test(stages.at(-1)?.from ?? '') ? undefined : stages.at(-1)?.from),
    broken: (text) => text.replace('FROM debian:bookworm-slim', 'FROM node:22-bookworm-slim'),
  },
  {
    name: 'the user is a number, and not 0',
    problem: (file) => {
      const user = last(file, 'USER')?.text ?? 'none'
      return /^[1-9]\d*:[1-9]\d*$/.test(user) ? undefined : user
    },
    broken: (text) => text.replace(/^USER .*/m, 'USER belfry'),
  },
  {
    name: 'the user is not root',
    problem: (file) => (/^0*(?::|$)|^root/.test(last(file, 'USER')?.text ?? '') ? 'root' : undefined),
    broken: (text) => text.replace(/^USER .*/m, 'USER 0:0'),
  },
  ...['ENTRYPOINT', 'CMD', 'HEALTHCHECK'].map((name) => ({
    name: `${name} is a list of words, so that no shell is needed`,
    problem: (file: Dockerfile) => (last(file, name)?.exec === undefined ? name : undefined),
    broken: (text: string) => text.replace(new RegExp(`^(${name}[^[]*)\\[.*\\]$`, 'm'), '$1node /app/dist/main.js'),
  })),
  {
    name: 'what is started is node itself',
    problem: (file) => {
      const started = ['ENTRYPOINT', 'HEALTHCHECK'].map((name) => last(file, name)?.exec?.[0])
      return started.find((program) => program !== '/usr/local/bin/node')
    },
    broken: (text) => text.replace('ENTRYPOINT ["/usr/local/bin/node"', 'ENTRYPOINT ["/bin/sh"'),
  },
  {
    name: 'the health check asks the server by `healthcheck`',
    problem: (file) => (last(file, 'HEALTHCHECK')?.exec?.at(-1) === 'healthcheck' ? undefined : 'it does not'),
    broken: (text) => text.replace('"healthcheck"]', '"--version"]'),
  },
  {
    name: 'it is stopped by SIGTERM',
    problem: (file) => (last(file, 'STOPSIGNAL')?.text === 'SIGTERM' ? undefined : 'another signal, or none'),
    broken: (text) => text.replace('STOPSIGNAL SIGTERM', 'STOPSIGNAL SIGKILL'),
  },
  {
    name: 'both ports are told',
    problem: (file) => (last(file, 'EXPOSE')?.text === '6001 9601' ? undefined : 'other ports, or none'),
    broken: (text) => text.replace('EXPOSE 6001 9601', 'EXPOSE 6001'),
  },
  {
    name: 'the labels are there',
    problem: (file) => labelsNeeded.find((label) => !lastPairs(file, 'LABEL').has(label)),
    broken: (text) => text.replace('image.licenses', 'image.licence'),
  },
  {
    name: 'the version is that of package.json',
    problem: (file, version) => {
      const label = lastPairs(file, 'LABEL').get('org.opencontainers.image.version')
      return label === version ? undefined : label
    },
    broken: (text) => text.replace(/(image\.version)="[^"]*"/, '$1="0.0.1"'),
  },
  {
    name: 'it runs in production, with metrics for others to ask',
    problem: (file) => {
      const env = lastPairs(file, 'ENV')
      return env.get('NODE_ENV') === 'production' && env.get('BELFRY_METRICS_HOST') === '0.0.0.0'
        ? undefined
        : 'it does not'
    },
    broken: (text) => text.replace('NODE_ENV=production', 'NODE_ENV=development'),
  },
  {
    name: 'COPY, and never ADD, which unpacks and downloads',
    problem: ({ instructions }) => told(instructions.find(({ name }) => name === 'ADD')),
    broken: (text) => text.replace('COPY src/', 'ADD src/'),
  },
  {
    name: 'nothing is copied as a whole',
    problem: ({ instructions }) =>
      told(
        instructions.find(
          ({ name, text }) =>
            name === 'COPY' &&
            wordsOf(text)
              .slice(0, -1)
              .some((path) => /^[./]*$/.test(path)),
        ),
      ),
    broken: (text) => text.replace('COPY src/ ./src/', 'COPY . ./'),
  },
  {
    name: 'what apt downloads does not stay',
    problem: ({ instructions }) => {
      const apt = instructions.filter(
        ({ name, text }) => name === 'RUN' && /\bapt(?:-get)? .*\b(?:update|install)\b/.test(text),
      )
      return told(
        apt.find(
          ({ text }) => !/--no-install-recommends/.test(text) || !/rm -rf \/var\/lib\/apt\/lists\/\*$/.test(text),
        ),
      )
    },
    broken: (text) => text.replace('FROM debian:bookworm-slim', '$&\nRUN apt-get update && apt-get install -y tini'),
  },
  {
    name: 'packages are those of the lock, installed without running their scripts',
    problem: ({ instructions }) => {
      const npm = instructions.filter(({ name, text }) => name === 'RUN' && /\bnpm (?:ci|i|install|add)\b/.test(text))
      return npm.length === 0 ? 'none' : told(npm.find(({ text }) => !/^npm ci .*--ignore-scripts/.test(text)))
    },
    broken: (text) => text.replace('npm ci --ignore-scripts', 'npm install'),
  },
  {
    name: 'the packages that are shipped are those of production, pruned',
    problem: ({ stages }) => {
      const shipped = stages.at(-1)?.instructions.find(({ text }) => text.includes('node_modules'))
      const steps =
        stages.find(({ name }) => name === shipped?.flags.get('from'))?.instructions.map(({ text }) => text) ?? []
      if (!steps.some((text) => text.startsWith('npm ci') && text.includes('--omit=dev')))
        return 'with those of development'
      return steps.includes('node .ci/prune-image.js node_modules') ? undefined : 'not pruned'
    },
    broken: (text) => text.replace('npm ci --omit=dev', 'npm ci'),
  },
  {
    name: 'nothing is run in the last stage',
    problem: ({ stages }) => told(stages.at(-1)?.instructions.find(({ name }) => name === 'RUN')),
    broken: (text) => text.replace(/^USER/m, 'RUN node --version\nUSER'),
  },
  {
    name: 'no step is for one architecture',
    problem: ({ instructions }) =>
      told(instructions.find(({ text }) => /amd64|arm64|x86_64|aarch64|\bx64\b|TARGET/i.test(text))),
    broken: (text) => text.replace('cp /usr/local/bin/node bin/node', 'cp node-linux-x64/bin/node bin/node'),
  },
  {
    name: 'no secret is in it',
    problem: ({ instructions }) =>
      told(
        instructions.find(({ name, text }) => /^(?:ENV|ARG)$/.test(name) && /secret|password|token|_key\b/i.test(text)),
      ),
    broken: (text) => text.replace('ENV NODE_ENV=production', 'ENV BELFRY_APP_SECRET=s NODE_ENV=production'),
  },
]

/** The last of that name in the last stage. */
function last({ stages }: Dockerfile, wanted: string): Instruction | undefined {
  return stages.at(-1)?.instructions.findLast(({ name }) => name === wanted)
}

function lastPairs({ stages }: Dockerfile, wanted: string): Map<string, string> {
  return new Map((stages.at(-1)?.instructions ?? []).filter(({ name }) => name === wanted).flatMap(pairsOf))
}

function told(instruction: Instruction | undefined): string | undefined {
  return instruction === undefined ? undefined : `line ${instruction.line}: ${instruction.name} ${instruction.text}`
}
