import { BlockList, isIP } from 'node:net'
import type { UwsRequest, UwsResponse } from './library.js'

/** Who is at the other end, also behind proxies that are trusted. */
export class ClientAddresses {
  readonly #trusted = new BlockList()
  readonly #trustsAny: boolean
  readonly #needed: boolean

  /**
   * @param trustedProxies addresses and networks (`10.0.0.0/8`) whose X-Forwarded-For and X-Forwarded-Proto are believed
   * @param needed whether anyone asks for the address; reading it costs on every connection
   */
  constructor(trustedProxies: readonly string[], needed: boolean) {
    for (const proxy of trustedProxies) this.#trust(proxy)
    this.#trustsAny = trustedProxies.length > 0
    this.#needed = needed || this.#trustsAny
  }

  /** The client's address (empty when nobody needs it) and whether its side of the connection is TLS. */
  identify(response: UwsResponse, request: UwsRequest, tls: boolean): { address: string; secure: boolean } {
    if (!this.#needed) return { address: '', secure: tls }
    const peer = normalise(Buffer.from(response.getRemoteAddressAsText()).toString())
    if (!this.#trustsAny || !this.#isTrusted(peer)) return { address: peer, secure: tls }
    const forwardedFor = allValues(request, 'x-forwarded-for')
    const forwardedProto = request.getHeader('x-forwarded-proto').split(',')[0]?.trim().toLowerCase()
    const secure =
      forwardedProto === undefined || forwardedProto === '' ? tls : ['https', 'wss'].includes(forwardedProto)
    return { address: this.#nearestUntrusted(forwardedFor) ?? peer, secure }
  }

  /** Read from the right: what a trusted proxy appended is true, what stood there before is the client's claim. */
  #nearestUntrusted(forwardedFor: string): string | undefined {
    for (const hop of forwardedFor.split(',').reverse()) {
      const address = normalise(hop.trim())
      if (isIP(address) === 0) return undefined
      if (!this.#isTrusted(address)) return address
    }
    return undefined
  }

  #isTrusted(address: string): boolean {
    const family = isIP(address)
    return family !== 0 && this.#trusted.check(address, family === 6 ? 'ipv6' : 'ipv4')
  }

  #trust(proxy: string): void {
    const [address = '', prefix] = proxy.split('/')
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    if (prefix === undefined) this.#trusted.addAddress(address, family)
    else this.#trusted.addSubnet(address, Number(prefix), family)
  }
}

/** A proxy may append a line of its own (HAProxy does); `getHeader` would give the first one only, which is the client's claim. */
function allValues(request: UwsRequest, name: string): string {
  const values: string[] = []
  request.forEach((key, value) => {
    if (key === name) values.push(value)
  })
  return values.join(',')
}

/** uWebSockets writes IPv6 in full and IPv4 on a dual-stack socket as a mapped IPv6 address. */
function normalise(address: string): string {
  const mapped = /^(?:0000:){5}ffff:([0-9a-f]{2})([0-9a-f]{2}):([0-9a-f]{2})([0-9a-f]{2})$/.exec(address)
  if (mapped !== null) {
    return mapped
      .slice(1, 5)
      .map((octet) => String(Number.parseInt(octet, 16)))
      .join('.')
  }
  return address.startsWith('::ffff:') && isIP(address.slice(7)) === 4 ? address.slice(7) : address
}
