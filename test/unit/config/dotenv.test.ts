/* eslint-disable no-template-curly-in-string -- ${NAME} is how .env files refer to each other */
import { describe, expect, it } from 'vitest'
import { parseDotenv } from '../../../src/config/dotenv.js'

const parsed = (text: string, outer: Record<string, string> = {}) =>
  Object.fromEntries(parseDotenv(text, outer).variables)

describe('a .env file', () => {
  it('is read as Laravel writes it', () => {
    const text = `APP_NAME=Laravel
APP_ENV=local
APP_KEY=base64:tR5zJm0Jp0j9S1yq0F9o3nQ2yX1gkq2mS6l1r8h5z0E=
APP_DEBUG=true
APP_URL=http://localhost

# APP_MAINTENANCE_STORE=database
DB_PASSWORD=

BROADCAST_CONNECTION=reverb
REDIS_PASSWORD=null
MAIL_FROM_ADDRESS="hello@example.com"
MAIL_FROM_NAME="\${APP_NAME}"

REVERB_APP_ID=573981
REVERB_APP_KEY=w2yqbhxxurzbqo3vkqqd
REVERB_APP_SECRET=ibgnh2xaw0wbxoxmdtae
REVERB_HOST="localhost"
REVERB_PORT=8080
REVERB_SCHEME=http

VITE_APP_NAME="\${APP_NAME}"
VITE_REVERB_APP_KEY="\${REVERB_APP_KEY}"
`
    expect(parsed(text)).toEqual({
      APP_NAME: 'Laravel',
      APP_ENV: 'local',
      APP_KEY: 'base64:tR5zJm0Jp0j9S1yq0F9o3nQ2yX1gkq2mS6l1r8h5z0E=',
      APP_DEBUG: 'true',
      APP_URL: 'http://localhost',
      DB_PASSWORD: '',
      BROADCAST_CONNECTION: 'reverb',
      REDIS_PASSWORD: 'null',
      MAIL_FROM_ADDRESS: 'hello@example.com',
      MAIL_FROM_NAME: 'Laravel',
      REVERB_APP_ID: '573981',
      REVERB_APP_KEY: 'w2yqbhxxurzbqo3vkqqd',
      REVERB_APP_SECRET: 'ibgnh2xaw0wbxoxmdtae',
      REVERB_HOST: 'localhost',
      REVERB_PORT: '8080',
      REVERB_SCHEME: 'http',
      VITE_APP_NAME: 'Laravel',
      VITE_REVERB_APP_KEY: 'w2yqbhxxurzbqo3vkqqd',
    })
  })

  it.each([
    ['export A=1', { A: '1' }],
    ['  A = 1  ', { A: '1' }],
    ['A=1 # comment', { A: '1' }],
    ['A=a#b', { A: 'a#b' }],
    ['A="a # b" # c', { A: 'a # b' }],
    ['A=\'a "b" \\n ${B} # c\'', { A: 'a "b" \\n ${B} # c' }],
    ['A="a\\nb\\t\\"c\\" \\$d \\\\"', { A: 'a\nb\t"c" $d \\' }],
    ['A="two\nlines"\nB=1', { A: 'two\nlines', B: '1' }],
    ['A=1\r\nB=2\r\n', { A: '1', B: '2' }],
    ['\uFEFFA=1', { A: '1' }],
    ['A=#', { A: '' }],
    ['A=1\nA=2', { A: '2' }],
    ['A', {}],
    ['A=b c', { A: 'b c' }],
    ['A=1\nB=${A}2\nC="${A}3"\nD=${NOBODY}\nE=$A', { A: '1', B: '12', C: '13', D: '${NOBODY}', E: '$A' }],
    ['A="\\${B}"\nB=1', { A: '${B}', B: '1' }],
  ])('%j', (text, variables) => {
    expect(parsed(text)).toEqual(variables)
  })

  it('prefers variables of the process', () => {
    expect(parsed('A=1\nB=${A}', { A: 'outer' })['B']).toBe('outer')
  })

  it.each([
    ['A=1\nB="never closed', 'line 2 has a quote that is never closed'],
    ["A='x' y", 'line 1 goes on after the closing quote'],
    ['A=1\n=tell-nobody', 'line 2 is no NAME=value'],
  ])('%j is refused without its content', (text, problem) => {
    expect(parseDotenv(text, {}).problems).toEqual([problem])
  })
})
