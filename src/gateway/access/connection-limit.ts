import type { Socket } from 'node:net';
import proxyAddr from '@fastify/proxy-addr';
import { PerAddress } from './per-address.js';
import type { Refusals } from './refusals.js';

export interface ConnectionLimits {
  /** Sockets at a time. */
  readonly connections: number;
  /** Of one address; Infinity = no limit. */
  readonly connectionsPerAddress: number;
}

/**
 * Bounds the sockets of a listener, in all and of each address. One too many is dropped without an answer, before anything is read from it
 * and, with TLS, before anything is computed for it. A trusted proxy carries many clients, so its own address has no limit.
 */
export class ConnectionLimit {
  readonly #limits: ConnectionLimits;
  readonly #perAddress: PerAddress;
  readonly #isProxy: (address: string) => boolean;
  readonly #refusals: Refusals;
  #open = 0;

  constructor(limits: ConnectionLimits, trustProxy: readonly string[], refusals: Refusals) {
    this.#limits = limits;
    this.#perAddress = new PerAddress(limits.connectionsPerAddress);
    const trusts = proxyAddr.compile([...trustProxy]);
    this.#isProxy = (address) => trusts(address, 0);
    this.#refusals = refusals;
  }

  /** Takes a socket just accepted, or drops it and says so. */
  admit(socket: Socket): boolean {
    if (this.#open >= this.#limits.connections) return this.#refuse(socket, 'connections');
    // Gone already: there is no address any more.
    const address = socket.remoteAddress ?? '';
    const giveBack = address === '' || this.#isProxy(address) ? () => {} : this.#perAddress.take(address);
    if (giveBack === undefined) return this.#refuse(socket, 'address');
    this.#open++;
    socket.once('close', () => {
      this.#open--;
      giveBack();
    });
    return true;
  }

  #refuse(socket: Socket, reason: 'connections' | 'address'): false {
    this.#refusals.counts[reason]++;
    socket.destroy();
    return false;
  }
}
