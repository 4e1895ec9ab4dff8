/** Addresses of the loopback net that connections are made from in turn: each has 28 000 ports of its own, whoever else uses them up. */
const addresses = 200
let next = 0

export function localAddress(): string {
  next = (next + 1) % addresses
  return `127.0.1.${next + 1}`
}
