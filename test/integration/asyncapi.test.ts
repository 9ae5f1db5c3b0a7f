import { once } from 'node:events';
import { WebSocket } from 'ws';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Engine } from '../../src/engine.js';
import { channelDocs } from '../../src/gateway/asyncapi/channel-docs.js';
import { errorCodes } from '../../src/gateway/ws/protocol.js';
import { channelNames } from '../../src/model/publication.js';
import { startSimulator, type Simulator } from '../../src/simulator/simulator.js';
import { type Checker, checker, type SchemaDocument } from '../support/document-schema.js';
import { startEngine } from '../support/engine.js';
import { until } from '../support/until.js';

interface Document extends SchemaDocument {
  readonly components: SchemaDocument['components'] & {
    readonly messages: Readonly<Record<string, { readonly payload: unknown }>>;
  };
}
interface Message {
  readonly op?: string;
  readonly id?: number;
  readonly ch?: string;
  readonly type?: string;
  readonly code?: string;
  readonly ok?: readonly string[];
  readonly failed?: readonly { readonly code: string }[];
}

/** Messages that come when something goes wrong that does not here; others' tests have them. */
const rare: readonly string[] = ['trade.skipped', 'trade.state'];

let sim: Simulator;
let engine: Engine;
let socket: WebSocket;
let document: Document;
const received: Message[] = [];

beforeAll(async () => {
  sim = await startSimulator({ symbols: 2, rate: 8, seed: 32 });
  engine = await startEngine(sim, { workers: 1 });
  document = (await (await fetch(`${engine.url}/asyncapi.json`)).json()) as Document;
  socket = new WebSocket(engine.wsUrl);
  socket.on('message', (data: Buffer) => received.push(JSON.parse(data.toString()) as Message));
  await once(socket, 'open');
});
afterAll(async () => {
  socket?.terminate();
  await engine?.close();
  await sim?.close();
});

const nameOf = ({ op, ch, type }: Message): string => op ?? `${ch}.${type}`;
const send = (message: object): void => socket.send(JSON.stringify(message));
const saw = (name: string): boolean => received.some((message) => nameOf(message) === name);

/** The parameters of a channel left out, and each with its first and last value. */
function variants(channel: (typeof channelNames)[number]): readonly object[] {
  const parameters = Object.entries(channelDocs[channel].parameters) as [string, { readonly enum?: readonly unknown[] }][];
  const all = (index: number): object => Object.fromEntries(parameters.map(([name, schema]) => [name, schema.enum?.at(index)]));
  return parameters.length === 0 ? [{}] : [{}, all(0), all(-1)];
}

it('every message is as described, to the last field', async () => {
  for (const symbol of sim.symbols) await until(async () => (await fetch(`${engine.url}/orderbook/${symbol}`)).ok, { what: symbol });
  const [symbol, other] = sim.symbols as [string, string];
  let id = 0;
  for (const channel of channelNames) {
    for (const variant of variants(channel)) send({ op: 'subscribe', id: ++id, channel, symbols: [symbol, other, 'NOPE'], ...variant });
  }
  await until(() => received.filter(({ op }) => op === 'subscribed').length === id, { what: 'all subscriptions' });
  expect(
    received.filter(({ op, failed }) => op === 'subscribed' && failed?.map(({ code }) => code).join() !== 'SYMBOL_NOT_TRACKED'),
  ).toEqual([]);
  await until(() => saw('book.delta'), { what: 'a delta' });
  sim.injectFault({ action: 'skip', symbol });

  for (const text of ['{', '[]']) socket.send(text);
  for (const wrong of [
    { id: {} },
    { op: 'jump' },
    { op: 'subscribe', channel: 'nothing' },
    { op: 'subscribe', channel: 'book', symbols: [] },
    { op: 'subscribe', channel: 'book', symbols: [symbol], depth: 7 },
    { op: 'subscribe', channel: 'book', symbols: [symbol], interval: 7, id: 'x' },
  ]) {
    send(wrong);
  }
  socket.send(Buffer.from([1, 2, 3]));
  send({ op: 'ping', id: 'p' });
  send({ op: 'ping' });
  send({ op: 'unsubscribe', channel: 'bbo', symbols: [other, 'NOPE'], id: 'u' });

  const names = Object.keys(document.components.messages);
  const wanted = names.filter((name) => !['subscribe', 'unsubscribe', 'ping', ...rare].includes(name));
  await until(() => wanted.every(saw), { what: 'every kind of message', timeoutMs: 20_000 }).catch((error: unknown) => {
    throw new Error(`never came: ${wanted.filter((name) => !saw(name)).join(', ')}`, { cause: error });
  });
  for (let i = 0; i < 150; i++) send({ op: 'ping' });
  const codes = (): (string | undefined)[] => received.filter(({ op }) => op === 'error').map(({ code }) => code);
  await until(() => errorCodes.every((code) => codes().includes(code)), { what: 'every error' });
  expect((await fetch(`${engine.url}/symbols/${other}`, { method: 'DELETE' })).status).toBe(204);
  await until(() => received.some(({ op, code }) => op === 'unsubscribed' && code === 'SYMBOL_UNTRACKED'), { what: 'the end of a symbol' });

  const checkers = new Map<string, Checker>(names.map((name) => [name, checker(document, document.components.messages[name]!.payload)]));
  const wrong = received.flatMap((message) => {
    const found = checkers.get(nameOf(message))?.(message) ?? ['is not described'];
    return found.length === 0 ? [] : [{ message: JSON.stringify(message).slice(0, 300), found }];
  });
  expect(wrong.slice(0, 5)).toEqual([]);
  // Each message fits its own description only.
  const snapshot = received.find((message) => nameOf(message) === 'book.snapshot');
  expect(checkers.get('book.delta')!(snapshot)).not.toEqual([]);
});
