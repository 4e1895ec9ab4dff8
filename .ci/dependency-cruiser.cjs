/**
 * Who may import whom in src/ (docs/architecture.md). test/unit/repository/import-rules.test.ts plants one violation per
 * rule, so a rule that has stopped matching anything fails there.
 */

/** The parts at the rim: each sees the core and what is below it, none sees another. */
const rim = '(?:transport/[^/]+|http|backend/[^/]+|webhooks|observability|apps|workers|addons/[^/]+)'
const knownPlaces = `^src/(?:(?:main|server|workers)[.]ts$|(?:base|protocol|core|config|cli|${rim})/)`

/** Third-party package → the only places that import it. */
const packagePlaces = {
  'uWebSockets.js': ['transport/uws'],
  ioredis: ['backend/redis'],
  'prom-client': ['observability'],
  pino: ['observability'],
  zod: ['config', 'apps'],
  yaml: ['config'],
  ws: ['cli'],
  pusher: ['cli'],
}

module.exports = {
  forbidden: [
    {
      name: 'no-cycle',
      comment: 'Two files that need each other are one idea, or there is a third idea below both.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-dead-module',
      comment: 'What main.ts does not reach is not part of the program.',
      severity: 'error',
      from: { path: '^src/main[.]ts$' },
      to: { path: '^src/', reachable: false },
    },
    {
      name: 'no-unresolved',
      comment: 'The import names nothing that exists.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: packages(Object.keys(packagePlaces)) },
    },
    {
      name: 'no-unknown-place',
      comment: 'A new folder of src needs its place in docs/architecture.md and in these rules.',
      severity: 'error',
      from: { path: '^src/', pathNot: knownPlaces },
      to: {},
    },
    {
      name: 'src-stands-alone',
      comment: 'The program does not import its tests, its bench or its tools.',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['local'], pathNot: '^src/' },
    },
    only('base-imports-nothing', '^src/base/', '^src/base/'),
    only('protocol-imports-base', '^src/protocol/', '^src/(?:protocol|base)/'),
    only('core-imports-down', '^src/core/', '^src/(?:core|protocol|base)/'),
    only('apps-imports-ports', '^src/apps/', '^src/(?:apps|core/ports|protocol|base)/'),
    only('rim-imports-down', `^src/(${rim})/`, '^src/(?:$1|core|protocol|base)/'),
    only('config-imports-base', '^src/config/', '^src/(?:config|base)/'),
    only(
      'cli-imports-server',
      '^src/cli/',
      '^src/(?:(?:cli|config|apps|observability|workers|core/ports|protocol|base)/|backend/redis/examine|(?:server|workers)[.]ts$)',
    ),
    only('main-imports-cli', '^src/main[.]ts$', '^src/(?:cli|config)/'),
    {
      name: 'config-is-read-at-the-top',
      comment: 'Every part receives its own slice of the configuration as an argument.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(?:config/|cli/|(?:main|server|workers)[.]ts$)' },
      to: { path: '^src/config/' },
    },
    {
      name: 'server-is-used-by-cli',
      comment: 'Below the composition root nobody knows the composition.',
      severity: 'error',
      from: { pathNot: '^src/(?:cli/|workers[.]ts$)' },
      to: { path: '^src/(?:server|workers)[.]ts$' },
    },
    {
      name: 'cli-is-used-by-main',
      comment: 'Commands are reached through main.ts only.',
      severity: 'error',
      from: { pathNot: '^src/(?:main[.]ts$|cli/)' },
      to: { path: '^src/cli/' },
    },
    {
      name: 'main-is-used-by-nobody',
      comment: 'main.ts is where the program starts.',
      severity: 'error',
      from: {},
      to: { path: '^src/main[.]ts$' },
    },
    {
      name: 'core-does-no-io',
      comment: 'What a node decides is decided without files, sockets and processes; those come through a port.',
      severity: 'error',
      from: { path: '^src/(?:base|protocol|core)/' },
      to: { dependencyTypes: ['core'], pathNot: '^(?:node:)?(?:crypto|buffer|util|events|string_decoder)$' },
    },
    ...Object.entries(packagePlaces).map(([name, places]) => ({
      name: `place-of-${name}`,
      comment: `${name} is imported in ${places.map((place) => `src/${place}`).join(' and ')} only.`,
      severity: 'error',
      from: { path: '^src/', pathNot: `^src/(?:${places.join('|')})/` },
      to: { path: packages([name]) },
    })),
    {
      name: 'no-other-package',
      comment: 'A new dependency needs an ADR and its place in the table above.',
      severity: 'error',
      from: { path: '^src/' },
      to: {
        dependencyTypes: ['npm', 'npm-dev', 'npm-optional', 'npm-peer', 'npm-no-pkg', 'npm-unknown'],
        pathNot: packages(Object.keys(packagePlaces)),
      },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
}

/** A rule: of our own files, `from` imports only `to`. */
function only(name, from, to) {
  const comment = 'Arrows point down: main, server, the parts at the rim, core, protocol, base.'
  return { name, comment, severity: 'error', from: { path: from }, to: { path: '^src/', pathNot: to } }
}

/** The pattern of a package's files, or of its bare name where it is not installed; with the typings it may have apart. */
function packages(names) {
  const alternatives = names.map((name) => name.replaceAll('.', '[.]')).join('|')
  return `(?:^|node_modules/)(?:@types/)?(?:${alternatives})(?:/|$)`
}
