import { lookup } from 'node:dns/promises'
import { isIP, type LookupFunction } from 'node:net'
import { kindOfPrivate } from './private-addresses.js'

/** All addresses of a name. */
export type Resolve = (hostname: string) => Promise<readonly { readonly address: string }[]>

/** The system's resolver, `/etc/hosts` and search domains included. */
export const systemResolve: Resolve = (hostname) => lookup(hostname, { all: true, verbatim: true })

/** No connection is opened. The message is a reason for a log line, and says the remedy. */
export class RefusedAddress extends Error {}

/** Of a name with more addresses these are tried, so that a name is no list of targets. */
const addressesMax = 8

const remedy = 'set allowPrivateNetwork: true for this webhook if it is meant'

/**
 * Why a host may not be connected to, as far as that is known without a lookup: for an address in the URL nobody looks
 * anything up. @param hostname of a URL, which has put every notation (octal, hexadecimal, one number) into the usual one
 */
export function refusalOf(hostname: string): string | undefined {
  if (isIP(hostname) === 0) {
    return /(?:^|\.)localhost\.?$/i.test(hostname) ? `${hostname} is a name of this machine: ${remedy}` : undefined
  }
  const kind = kindOfPrivate(hostname)
  return kind === undefined ? undefined : `${hostname} is ${kind}: ${remedy}`
}

/** Resolves names for connections: what is handed on has been checked, and is what is connected to. */
export class GuardedLookup {
  readonly #resolve: Resolve
  /**
   * Lookups under way. The system's resolver has few threads, so a name whose servers are silent may hold one of them only,
   * however many requests wait for it.
   */
  readonly #underWay = new Map<string, Promise<readonly string[]>>()

  constructor(resolve: Resolve) {
    this.#resolve = resolve
  }

  /** For the option of `net.connect`. Fails with RefusedAddress when a name has no address that is allowed. */
  lookupFor(allowPrivateNetwork: boolean): LookupFunction {
    return (hostname, options, callback) => {
      this.#addressesOf(hostname)
        .then((all) => allowed(hostname, all, allowPrivateNetwork))
        .then(
          ([first, ...others]) => {
            if (options.all === true) callback(null, [first, ...others])
            else callback(null, first.address, first.family)
          },
          (error: unknown) => callback(error instanceof Error ? error : new Error('lookup failed'), []),
        )
    }
  }

  #addressesOf(hostname: string): Promise<readonly string[]> {
    const underWay = this.#underWay.get(hostname)
    if (underWay !== undefined) return underWay
    const answer = this.#ask(hostname).finally(() => this.#underWay.delete(hostname))
    this.#underWay.set(hostname, answer)
    return answer
  }

  async #ask(hostname: string): Promise<readonly string[]> {
    const answers = await this.#resolve(hostname)
    return answers.map(({ address }) => address)
  }
}

type Address = { address: string; family: 4 | 6 }

/** @throws RefusedAddress when none is left */
function allowed(hostname: string, all: readonly string[], allowPrivateNetwork: boolean): [Address, ...Address[]] {
  const addresses = all.filter((address) => isIP(address) !== 0)
  const kept = allowPrivateNetwork ? addresses : addresses.filter((address) => kindOfPrivate(address) === undefined)
  const [first, ...others] = kept
    .slice(0, addressesMax)
    .map((address): Address => ({ address, family: isIP(address) === 6 ? 6 : 4 }))
  if (first !== undefined) return [first, ...others]
  const [refused] = addresses
  if (refused === undefined) throw new RefusedAddress(`the name ${hostname} has no address`)
  throw new RefusedAddress(`${hostname} is ${refused}, ${kindOfPrivate(refused) ?? ''}: ${remedy}`)
}
