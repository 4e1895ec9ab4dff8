import { expect, it } from 'vitest'
import { shownAddress } from '../../../src/config/addresses.js'

it.each([
  ['https://a.test', 'https://a.test'],
  ['https://a.test/hooks/@me', 'https://a.test/hooks/@me'],
  ['https://u@a.test/hook', 'https://…@a.test/hook'],
  ['https://u:p@a.test:8443/hook', 'https://…@a.test:8443/hook'],
  ['https://:p@a.test/hook', 'https://…@a.test/hook'],
  ['https://a.test/hook?key=p', 'https://a.test/hook?…'],
  ['https://a.test/hook?mail=u@p.test', 'https://a.test/hook?…'],
  ['https://a.test/hook#p', 'https://a.test/hook#…'],
  ['https://u:p@/hook', 'https://…@/hook'],
  ['https://u:p/p@a.test', 'https://…@a.test'],
  ['https://u:p?p@a.test/x?p', 'https://…@a.test/x?…'],
  ['u:p@a.test', '…@a.test'],
  ['redis://u:p@h', 'redis://…@h'],
  ['', ''],
])('%s is shown as %s', (address, shown) => {
  expect(shownAddress(address)).toBe(shown)
})
