import { BlockList, isIPv4, isIPv6 } from 'node:net';

/**
 * Addresses that are not for the public internet, by IANA's special-purpose registries: loopback, private, link-local (the
 * metadata services among them), shared, documentation, benchmarks, multicast, reserved; of IPv6 all but global unicast,
 * and of that what carries an IPv4 address inside.
 */
const closed = new BlockList();

for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['168.63.129.16', 32],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.31.196.0', 24],
  ['192.52.193.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['192.175.48.0', 24],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const) {
  closed.addSubnet(network, prefix, 'ipv4');
}

for (const [network, prefix] of [
  // Teredo, ORCHID, benchmarks and the other special parts of 2001::/23.
  ['2001::', 23],
  ['2001:db8::', 32],
  // 6to4: the next 32 bits are an IPv4 address.
  ['2002::', 16],
  ['2620:4f:8000::', 48],
  ['3fff::', 20],
] as const) {
  closed.addSubnet(network, prefix, 'ipv6');
}

const globalUnicast = new BlockList();
globalUnicast.addSubnet('2000::', 3, 'ipv6');

/** Whether an address, as a resolver gives it, is one of the public internet. Anything else is not. */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !closed.check(address, 'ipv4');
  if (!isIPv6(address) || address.includes('%')) return false;
  return globalUnicast.check(address, 'ipv6') && !closed.check(address, 'ipv6');
}
