/**
 * Which addresses belong to this machine, to a private network or to nobody: where a webhook of a tenant must not lead
 * unless the operator allows it. Sources: the special-purpose registries of IANA (RFC 6890) and the documents of the clouds.
 *
 * Not covered, since no list can know it: public addresses of this machine itself, and public addresses that a firewall
 * guards for the sake of where a request comes from.
 */
import { BlockList, isIP } from 'node:net'

type Family = 'ipv4' | 'ipv6'

const ofMachine = 'an address of this machine'
const ofCloud = "an address of a cloud's own services"
const ofLink = 'a link-local address'
const ofNetwork = 'an address of a private network'
const multicast = 'a multicast address'
const reserved = 'a reserved address'

/** In this order: the narrower first, so that the log says the most telling thing. */
const ipv4 = kinds('ipv4', [
  [ofMachine, ['0.0.0.0/8', '127.0.0.0/8']],
  // Metadata of AWS, Google, Azure and others; of Alibaba; and Azure's wire server, which has a public address.
  [ofCloud, ['169.254.169.254/32', '100.100.100.200/32', '168.63.129.16/32']],
  [ofLink, ['169.254.0.0/16']],
  [ofNetwork, ['10.0.0.0/8', '100.64.0.0/10', '172.16.0.0/12', '192.168.0.0/16']],
  [multicast, ['224.0.0.0/4']],
  // Protocol assignments, documentation (three), relays of 6to4, benchmarks, the future and broadcast.
  [reserved, ['192.0.0.0/24', '192.0.2.0/24', '198.51.100.0/24', '203.0.113.0/24']],
  [reserved, ['192.88.99.0/24', '198.18.0.0/15', '240.0.0.0/4']],
])

const ipv6 = kinds('ipv6', [
  [ofMachine, ['::/128', '::1/128']],
  [ofCloud, ['fd00:ec2::254/128']],
  [ofLink, ['fe80::/10']],
  // Unique local, the site-local of old, and NAT64 of a network's own choice.
  [ofNetwork, ['fc00::/7', 'fec0::/10', '64:ff9b:1::/48']],
  [multicast, ['ff00::/8']],
  // Protocol assignments with Teredo and benchmarks, documentation (two). The rest of what is reserved is not global.
  [reserved, ['2001::/23', '2001:db8::/32', '3fff::/20']],
])

/** All of IPv6 that is given out. What is not in it is reserved, also what will be named later. */
const global = list('ipv6', ['2000::/3'])

/** Addresses that stand for an IPv4 address, and the first of the two groups that hold it. */
const embedding: readonly (readonly [networks: BlockList, group: number])[] = [
  // IPv4-mapped, and the well-known NAT64, through which a host without IPv4 reaches public receivers.
  [list('ipv6', ['::ffff:0:0/96', '64:ff9b::/96']), 6],
  [list('ipv6', ['2002::/16']), 1],
]

/**
 * Why an address is not one of the public internet, as half a sentence (`an address of a private network`); undefined when
 * it is. IPv6 addresses that stand for an IPv4 address are what that is.
 * @param address IPv4 with four decimal numbers, or IPv6, also with a zone (`fe80::1%eth0`)
 */
export function kindOfPrivate(address: string): string | undefined {
  const [bare = ''] = address.split('%', 1)
  switch (isIP(bare)) {
    case 4:
      return kindIn(ipv4, bare, 'ipv4')
    case 6:
      return kindOfIpv6(bare)
    default:
      return 'not an address'
  }
}

function kindOfIpv6(address: string): string | undefined {
  for (const [networks, group] of embedding) {
    if (networks.check(address, 'ipv6')) return kindIn(ipv4, embeddedIn(address, group), 'ipv4')
  }
  return kindIn(ipv6, address, 'ipv6') ?? (global.check(address, 'ipv6') ? undefined : reserved)
}

function kindIn(table: readonly (readonly [string, BlockList])[], address: string, family: Family): string | undefined {
  return table.find(([, networks]) => networks.check(address, family))?.[0]
}

/** The IPv4 address in two neighbouring groups of an IPv6 address. */
function embeddedIn(address: string, group: number): string {
  return groupsOf(address)
    .slice(group, group + 2)
    .flatMap((value) => [value >> 8, value & 0xff])
    .join('.')
}

/** The eight numbers of an IPv6 address. The URL parser has put them all into hexadecimal, also a dotted end. */
function groupsOf(address: string): number[] {
  const [head = '', tail = ''] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::')
  const first = head === '' ? [] : head.split(':')
  const last = tail === '' ? [] : tail.split(':')
  const zeros = Array<string>(8 - first.length - last.length).fill('0')
  return [...first, ...zeros, ...last].map((group) => Number.parseInt(group, 16))
}

function kinds(family: Family, table: readonly (readonly [kind: string, networks: readonly string[]])[]) {
  return table.map(([kind, networks]) => [kind, list(family, networks)] as const)
}

function list(family: Family, networks: readonly string[]): BlockList {
  const blocked = new BlockList()
  for (const network of networks) {
    const [address = '', bits] = network.split('/')
    blocked.addSubnet(address, Number(bits), family)
  }
  return blocked
}
