import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** Whether an IP address is loopback. */
export function isLoopbackAddress(address: string): boolean {
  return loopback.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}

/**
 * Whether only this machine can reach a listener at `host`, a name or address: every address it stands for is loopback. The empty name, which
 * listens on all addresses, is not. Rejects with the system's error when another name stands for none.
 */
export async function isLoopback(host: string): Promise<boolean> {
  if (host === '') return false;
  const addresses = isIP(host) === 0 ? (await lookup(host, { all: true })).map(({ address }) => address) : [host];
  return addresses.length > 0 && addresses.every(isLoopbackAddress);
}
