import { expect, it } from 'vitest'
import { readRedisTls } from '../../../src/config/redis-tls.js'

const files = new Map([
  ['ca.pem', '-----BEGIN CERTIFICATE-----\nca\n'],
  ['cert.pem', '-----BEGIN CERTIFICATE-----\ncert\n'],
  ['key.pem', '-----BEGIN PRIVATE KEY-----\nkey\n'],
  ['note.txt', 'tell nobody'],
])

function readText(path: string): string {
  const text = files.get(path)
  if (text === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' })
  return text
}

it('reads what is named', () => {
  const tls = { caFile: 'ca.pem', certFile: 'cert.pem', keyFile: 'key.pem', serverName: 'redis.test' }
  expect(readRedisTls(tls, readText)).toEqual({
    ca: files.get('ca.pem'),
    cert: files.get('cert.pem'),
    key: files.get('key.pem'),
    serverName: 'redis.test',
  })
  expect(readRedisTls({}, readText)).toEqual({})
})

it.each([
  [{ caFile: 'none.pem' }, 'redis.tls.caFile names none.pem, which cannot be read (ENOENT): check the path'],
  [{ keyFile: 'note.txt' }, 'redis.tls.keyFile names note.txt, which is not a PEM file'],
])('says in a sentence what is wrong, without what is in the file: %j', (tls, sentence) => {
  expect(() => readRedisTls(tls, readText)).toThrow(sentence)
  expect(() => readRedisTls(tls, readText)).not.toThrow('tell nobody')
})
