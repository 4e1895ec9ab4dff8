/**
 * The lint rules: what they are for is to find bugs and to hold the house rules that a compiler cannot see. Layout is
 * prettier's; which folder may import which is dependency-cruiser's (dependency-cruiser.cjs).
 */
import js from '@eslint/js'
import { defineConfig } from 'eslint/config'
import tseslint from 'typescript-eslint'

const timers = ['setTimeout', 'setInterval'].map((name) => ({ name, message: 'Take a Clock (src/base/clock.ts).' }))
const clockReads = [
  { object: 'Date', property: 'now', message: 'Take a Clock (src/base/clock.ts).' },
  { object: 'performance', property: 'now', message: 'Take a Clock (src/base/clock.ts).' },
  { object: 'process', property: 'hrtime', message: 'Take a Clock (src/base/clock.ts).' },
  { object: 'globalThis', property: 'setTimeout', message: 'Take a Clock (src/base/clock.ts).' },
  { object: 'globalThis', property: 'setInterval', message: 'Take a Clock (src/base/clock.ts).' },
]
const environmentReads = [
  { object: 'process', property: 'env', message: 'The environment is read in src/config and src/main.ts only.' },
]
const processEnds = [
  { object: 'process', property: 'exit', message: 'Only the command line (src/cli, src/main.ts) ends the process.' },
]
const weakRandom = [{ object: 'Math', property: 'random', message: 'Not random enough, and not repeatable.' }]
const randomReads = [
  { object: 'crypto', property: 'randomUUID', message: 'Take the random value as an argument.' },
  { object: 'crypto', property: 'getRandomValues', message: 'Take the random value as an argument.' },
]
const randomImports = {
  name: 'node:crypto',
  importNames: [
    'randomBytes',
    'randomFill',
    'randomFillSync',
    'randomInt',
    'randomUUID',
    'webcrypto',
    'getRandomValues',
  ],
  message: 'Random values are drawn in src/base/socket-id.ts, src/base/random.ts, src/config and src/cli only.',
}
const clockImports = [
  { name: 'node:timers', message: 'Take a Clock (src/base/clock.ts).' },
  { name: 'node:timers/promises', message: 'Take a Clock (src/base/clock.ts).' },
  { name: 'node:perf_hooks', importNames: ['performance'], message: 'Take a Clock (src/base/clock.ts).' },
]
const processImports = [
  { name: 'node:process', message: 'Use the global `process`, which these rules can see.' },
  { name: 'process', message: 'Use the global `process`, which these rules can see.' },
]

const currentTime = {
  selector: 'NewExpression[callee.name="Date"][arguments.length=0]',
  message: 'Take a Clock (src/base/clock.ts).',
}
const shapes = [
  { selector: 'ExportDefaultDeclaration', message: 'No default exports: a name should be the same everywhere.' },
  { selector: 'ExportAllDeclaration', message: 'No barrels: import from the file that has it.' },
  { selector: 'TSAsExpression > TSAsExpression', message: 'A double `as` is a lie to the compiler: write a decoder.' },
  { selector: 'CatchClause > BlockStatement[body.length=0]', message: 'An empty catch hides the error: handle it.' },
  {
    selector: 'CallExpression[callee.property.name="catch"] > :function > BlockStatement[body.length=0]',
    message: 'An empty catch hides the error: handle it.',
  },
]

export default defineConfig(
  { ignores: ['dist/', 'dist.new-*/', 'coverage/', 'bench/.peers/', 'bench/results/', '.scratch/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error', reportUnusedInlineConfigs: 'error' } },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: {
        project: ['./tsconfig.json', './test/tsconfig.json'],
        tsconfigRootDir: `${import.meta.dirname}/..`,
      },
    },
    rules: {
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports' }],
      '@typescript-eslint/no-import-type-side-effects': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', caughtErrorsIgnorePattern: '^_' }],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { allowDefaultCaseForExhaustiveSwitch: true, considerDefaultExhaustiveForUnions: false },
      ],
      // `() => log.info(…)` as a callback is no confusion, and a number in a template is what templates are for.
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
      // A port that promises is implemented with `async` even where memory answers at once: throwing becomes rejecting.
      '@typescript-eslint/require-await': 'off',
      // A private class without state of its own may implement a port.
      '@typescript-eslint/no-extraneous-class': 'off',
      'array-callback-return': 'error',
      eqeqeq: 'error',
      'no-constructor-return': 'error',
      'no-restricted-properties': ['error', ...weakRandom],
      'no-self-compare': 'error',
      'no-template-curly-in-string': 'error',
      'no-unreachable-loop': 'error',
      'no-var': 'error',
      'object-shorthand': 'error',
      'prefer-const': 'error',
      radix: 'error',
    },
  },
  {
    files: ['src/**/*.ts'],
    rules: {
      // The bug this finds: `if (data)` where '' or 0 is a value and undefined is not.
      '@typescript-eslint/strict-boolean-expressions': ['error', { allowNullableBoolean: true, allowAny: true }],
      'max-lines-per-function': ['error', { max: 70, skipBlankLines: true, skipComments: true }],
      'no-console': 'error',
      ...houseRules({}),
    },
  },
  { files: ['src/base/clock.ts'], rules: houseRules({ clock: true }) },
  { files: ['src/base/socket-id.ts', 'src/base/random.ts'], rules: houseRules({ random: true }) },
  { files: ['src/config/**/*.ts'], rules: houseRules({ clock: true, random: true, environment: true }) },
  // uWebSockets.js takes one of its settings from the environment, and nowhere else.
  { files: ['src/transport/uws/library.ts'], rules: houseRules({ environment: true }) },
  { files: ['src/workers.ts'], rules: houseRules({ ends: true }) },
  {
    files: ['src/cli/**/*.ts'],
    rules: { ...houseRules({ clock: true, random: true, ends: true }), 'no-console': 'off' },
  },
  {
    files: ['src/main.ts'],
    rules: { ...houseRules({ clock: true, random: true, environment: true, ends: true }), 'no-console': 'off' },
  },
  {
    // Tests and the bench handle parsed JSON and what they have put there themselves; a wrong guess fails the test.
    files: ['test/**/*.ts', 'bench/**/*.ts', '.ci/**/*.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-unnecessary-condition': 'off',
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      '@typescript-eslint/no-empty-function': 'off',
      '@typescript-eslint/restrict-template-expressions': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  { files: ['**/*.js', '**/*.cjs'], extends: [tseslint.configs.disableTypeChecked], rules: { 'no-undef': 'off' } },
)

/** What a file of src may not reach for, save what it is allowed: the clock, random values, the environment, ending the process. */
function houseRules({ clock = false, random = false, environment = false, ends = false }) {
  return {
    'no-restricted-globals': clock ? 'off' : ['error', ...timers],
    'no-restricted-properties': [
      'error',
      ...weakRandom,
      ...(clock ? [] : clockReads),
      ...(random ? [] : randomReads),
      ...(environment ? [] : environmentReads),
      ...(ends ? [] : processEnds),
    ],
    'no-restricted-imports': [
      'error',
      { paths: [...processImports, ...(clock ? [] : clockImports), ...(random ? [] : [randomImports])] },
    ],
    'no-restricted-syntax': ['error', ...shapes, ...(clock ? [] : [currentTime])],
  }
}
