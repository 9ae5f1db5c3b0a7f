import { setTimeout as wait } from 'node:timers/promises';
import { Rounds } from '../../src/support/rounds.js';
import { servePeer } from '../support/peer.js';
import { RawClient } from './raw-client.js';

/** So often each says that it is alive, which is also how it learns that it was closed: it reads nothing. */
const ALIVE_MS = 1000;
/** They do so one after the other, as clients that know nothing of each other. */
const ALIVE_STEPS = 50;

interface Crowd {
  readonly port: number;
  readonly clients: number;
  /** What each asks for, as it is sent. */
  readonly subscribe: string;
  /** How long they take to arrive, one after the other. */
  readonly arriveMs: number;
}

/** Clients that subscribe and then never read. Whoever is closed comes back at once. */
let crowd: Crowd | undefined;
const here = new Set<RawClient>();
let returned = 0;
const rounds = new Rounds(here);
const alive = setInterval(() => {
  rounds.next(1 / ALIVE_STEPS, (client) => {
    client.pong();
    return true;
  });
}, ALIVE_MS / ALIVE_STEPS);

async function enter({ port, subscribe }: Crowd): Promise<void> {
  const client = await RawClient.connect(port, {
    text: () => undefined,
    closed: () => {
      here.delete(client);
      if (crowd === undefined) return;
      returned++;
      void enter(crowd);
    },
  });
  client.stopReading();
  client.send(subscribe);
  here.add(client);
}

servePeer(
  {
    arrive: async (asked: Crowd) => {
      crowd = asked;
      returned = 0;
      const startedMs = performance.now();
      for (let i = 0; i < asked.clients; i++) {
        await wait(Math.max(0, startedMs + (i * asked.arriveMs) / asked.clients - performance.now()));
        await enter(asked);
      }
    },
    /** How many are connected, and how often one came back so far. */
    counts: () => ({ here: here.size, returned }),
    leave: () => {
      crowd = undefined;
      for (const client of here) client.terminate();
    },
  },
  async () => {
    clearInterval(alive);
    crowd = undefined;
    for (const client of here) client.terminate();
  },
);
