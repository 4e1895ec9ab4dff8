/** Addresses that may hold secrets, a login or a query, as a person may see them. */

/** The address without its login and its query: `https://…@example.com/hook?…`. Whatever is no address loses more rather than less. */
export function shownAddress(address: string): string {
  if (!/^https?:\/\//i.test(address) || !URL.canParse(address)) return shownText(address)
  const { protocol, username, password, host, pathname, search, hash } = new URL(address)
  if (`${username}${password}${search}${hash}` === '') return address
  const login = username === '' && password === '' ? '' : '…@'
  return `${protocol}//${login}${host}${pathname}${search === '' ? '' : '?…'}${hash === '' ? '' : '#…'}`
}

/** All up to the last @ may be a login, and all from the first ? a query. */
function shownText(text: string): string {
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(text)?.[0] ?? ''
  const rest = text.slice(scheme.length)
  const at = rest.lastIndexOf('@')
  const place = at < 0 ? rest : `…${rest.slice(at)}`
  return scheme + place.replace(/[?#].*$/s, '?…')
}
