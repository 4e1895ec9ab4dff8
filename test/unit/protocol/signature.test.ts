import { createHash, createHmac } from 'node:crypto'
import Pusher from 'pusher'
import { describe, expect, it } from 'vitest'
import { bodyMd5, channelAuthText, HmacKey, splitAuth, userAuthText } from '../../../src/protocol/signature.js'
import { channelVectors } from '../../harness/vectors.js'

const key = '278d425bdf160c739803'
const secret = '7ad3773142a6692b25b8'
const socketId = '1234.1234'
const signer = new HmacKey(secret)
const masterKey = 'BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc='
const library = new Pusher({ appId: '3', key, secret, host: 'localhost', encryptionMasterKeyBase64: masterKey })

describe('vectors of 3.1: channels', () => {
  it.each(channelVectors)('%s with %s', (channel, channelData, digest) => {
    const text = channelAuthText(socketId, channel, channelData)
    expect(signer.sign(text)).toBe(digest)
    expect(signer.verify(text, digest)).toBe(true)
  })

  it('trap 15: the digest that the docs print beside Mr. Channels does not verify', () => {
    const text = channelAuthText(socketId, 'presence-foobar', '{"user_id":10,"user_info":{"name":"Mr. Channels"}}')
    expect(signer.verify(text, 'afaed3695da2ffd16931f457e338e6c9f2921fa133ce7dac49f529792be6304c')).toBe(false)
  })

  it('trap 3: channel_data of a private channel is signed', () => {
    const withData = '58df8b0c36d6982b82c3ecf6b4662e34fe8c25bba48f5369f135bf843651c3a4'
    expect(signer.verify(channelAuthText(socketId, 'private-foobar', '{"user_id":"u1"}'), withData)).toBe(false)
  })
})

describe('vector of 3.2: encrypted channels', () => {
  it('the library makes the shared secret, and signs as for a private channel', () => {
    const token = library.authorizeChannel(socketId, 'private-encrypted-foobar')
    expect(token.shared_secret).toBe('KH+tRDTu81ixTVmz3MQln/a4WHOgYOu3/49dt88n9/k=')
    const { key: tokenKey, digest } = splitAuth(token.auth)
    expect(tokenKey).toBe(key)
    expect(signer.verify(channelAuthText(socketId, 'private-encrypted-foobar', undefined), digest)).toBe(true)
  })

  it('the shared secret is SHA256 of channel name and master key', () => {
    const made = createHash('sha256').update('private-encrypted-foobar').update(Buffer.from(masterKey, 'base64'))
    expect(made.digest('base64')).toBe('KH+tRDTu81ixTVmz3MQln/a4WHOgYOu3/49dt88n9/k=')
  })
})

describe('vectors of 3.3: user sign-in', () => {
  it.each([
    ['{"id":"12345"}', '4708d583dada6a56435fb8bc611c77c359a31eebde13337c16ab43aa6de336ba'],
    [
      '{"id":"12345","user_info":{"name":"Ann"},"watchlist":["7","8"]}',
      '457903950ee8bf92facc2372905dd3625e3635904fdc107f0f6374b64ca49b4e',
    ],
  ])('%s', (userData, digest) => {
    expect(signer.sign(userAuthText(socketId, userData))).toBe(digest)
  })

  it("verifies the library's token", () => {
    const token = library.authenticateUser(socketId, { id: '12345' })
    expect(signer.verify(userAuthText(socketId, token.user_data ?? ''), splitAuth(token.auth).digest)).toBe(true)
  })
})

describe('HmacKey', () => {
  it.each([0, 1, 447, 448, 449, 511, 512, 65_471, 65_472, 65_473, 200_000])(
    'signs %i characters as createHmac does',
    (length) => {
      const text = 'ü'.repeat(length / 2) + 'a'.repeat(length % 2)
      expect(signer.sign(text)).toBe(createHmac('sha256', secret).update(text).digest('hex'))
      expect(signer.sign('short')).toBe(createHmac('sha256', secret).update('short').digest('hex'))
    },
  )

  it.each(['', 's', 'x'.repeat(64), 'x'.repeat(65), 'ü'.repeat(100)])('takes the secret %j', (other) => {
    expect(new HmacKey(other).sign('text')).toBe(createHmac('sha256', other).update('text').digest('hex'))
  })

  it.each(['', 'zz', '58DF8B0C36D6982B82C3ECF6B4662E34FE8C25BBA48F5369F135BF843651C3A4', `${'0'.repeat(64)}0`])(
    'refuses %j as a digest',
    (digest) => {
      expect(signer.verify('1234.1234:private-foobar', digest)).toBe(false)
    },
  )
})

describe('splitAuth', () => {
  it.each([
    ['key:abc', 'key', 'abc'],
    ['key:a:b', 'key', 'a:b'],
    ['key', 'key', ''],
    ['', '', ''],
    [':x', '', 'x'],
  ])('%j', (auth, expectedKey, digest) => {
    expect(splitAuth(auth)).toEqual({ key: expectedKey, digest })
  })
})

describe('bodyMd5', () => {
  it.each([
    ['', 'd41d8cd98f00b204e9800998ecf8427e'],
    ['{}', '99914b932bd37a50b983c5e7c90ae93b'],
    ['{"name":"foo","channels":["project-3"],"data":"{\\"some\\":\\"data\\"}"}', 'ec365a775a4cd0599faeb73354201b6f'],
  ])('%s', (body, md5) => {
    expect(bodyMd5(Buffer.from(body))).toBe(md5)
  })
})
