import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { parseDotenv } from '../../src/config/dotenv.js'
import { loaded } from '../unit/config/load-fixture.js'
import { pick, read } from './chart-fixture.js'

const compose: unknown = parse(read('deploy/compose/compose.yaml'))
const example = read('deploy/compose/.env.example')
const belfry = pick(compose, 'services', 'belfry')

describe('deploy/compose', () => {
  it('gives a configuration that Belfry accepts when .env is filled in', () => {
    const filled = { REVERB_APP_ID: '1', REVERB_APP_KEY: 'key-1', REVERB_APP_SECRET: 'a secret of some length' }
    const { variables } = parseDotenv(example, {})
    const environment = environmentWith({ ...Object.fromEntries(variables), ...filled })
    const { config, notes, publicAddress } = loaded({ environment })
    expect(notes.filter(({ level }) => level === 'warn')).toEqual([])
    expect(config).toMatchObject({ port: 6001, redis: { url: 'redis://redis:6379/0' }, trustedProxies: [] })
    expect(config.apps).toMatchObject([{ id: '1', keys: [{ key: 'key-1', secret: 'a secret of some length' }] }])
    expect(publicAddress).toEqual({ host: '127.0.0.1', port: 6001, scheme: 'http' })
  })

  it.each(['REVERB_APP_ID', 'REVERB_APP_KEY', 'REVERB_APP_SECRET'])('says that %s is missing', (name) => {
    const given = { REVERB_APP_ID: '1', REVERB_APP_KEY: 'a', REVERB_APP_SECRET: 'b', [name]: '' }
    expect(() => environmentWith(given)).toThrow('copy .env.example to .env')
  })

  it('ships no credentials', () => {
    const { variables } = parseDotenv(example, {})
    for (const part of ['ID', 'KEY', 'SECRET']) expect(variables.get(`REVERB_APP_${part}`)).toBe('')
  })

  it('has what a Laravel application and its build need', () => {
    const { variables } = parseDotenv(example, {})
    const names = ['BROADCAST_CONNECTION', 'REVERB_HOST', 'REVERB_PORT', 'REVERB_SCHEME', 'VITE_REVERB_APP_KEY']
    expect([...variables.keys()]).toEqual(expect.arrayContaining(names))
  })

  it('runs without rights, publishes metrics to this machine only, and has time to drain', () => {
    expect(belfry).toMatchObject({ read_only: true, cap_drop: ['ALL'], stop_grace_period: '45s' })
    expect(pick(belfry, 'ports')).toContain('127.0.0.1:9601:9601')
    expect(pick(compose, 'services', 'redis', 'ports')).toBeUndefined()
  })

  it('has a Redis that forgets nothing by itself', () => {
    expect(String(pick(compose, 'services', 'redis', 'command'))).toContain('--maxmemory-policy,noeviction')
  })
})

/** What the container gets: `${NAME}`, `${NAME:-default}` and `${NAME:?message}` as compose replaces them. */
function environmentWith(variables: Readonly<Record<string, string>>): Record<string, string> {
  const lines = Object.entries(Object(pick(belfry, 'environment')) as Record<string, string>)
  return Object.fromEntries(
    lines.map(([name, text]) => [
      name,
      text.replaceAll(/\$\{(\w+)(?::([-?])([^}]*))?\}/g, (_, variable: string, sign?: string, rest?: string) => {
        const value = variables[variable] ?? ''
        if (value !== '') return value
        if (sign === '?') throw new Error(rest)
        return rest ?? ''
      }),
    ]),
  )
}
