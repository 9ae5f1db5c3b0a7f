import { once } from 'node:events';
import { WebSocket } from 'ws';
import { servePeer } from '../support/peer.js';
import { CLIENTS, MESSAGES_PER_TURN, turnMessages } from './messages.js';

/** The clients of one server: they compare every message with what it must be, byte by byte. */
const expected = turnMessages().map((text) => Buffer.from(text));
let received = 0;
let wrong = 0;
let wanted = Infinity;
let complete: (() => void) | undefined;

servePeer({
  /** With `subscribe`, each asks for the quotes of as many symbols as there are messages in a turn. */
  connect: async ({ url, subscribe }: { url: string; subscribe: boolean }): Promise<void> => {
    for (let i = 0; i < CLIENTS; i++) {
      const socket = new WebSocket(url, { perMessageDeflate: false });
      await once(socket, 'open');
      if (subscribe) {
        const symbols = expected.map((_, id) => `S${id}USDT`);
        socket.send(JSON.stringify({ op: 'subscribe', id: 1, channel: 'bbo', symbols, intervalMs: 0 }));
        const [answer] = (await once(socket, 'message')) as [Buffer];
        if (!answer.toString().includes('"failed":[]')) throw new Error(`not subscribed: ${answer.toString()}`);
      }
      let next = 0;
      socket.on('message', (data: Buffer) => {
        if (!data.equals(expected[next]!)) wrong++;
        next = (next + 1) % MESSAGES_PER_TURN;
        received++;
        if (received === wanted) complete!();
      });
    }
  },
  /** Resolves when all clients together received so many messages since the start; throws when one was another. */
  received: async ({ messages }: { messages: number }): Promise<void> => {
    wanted = messages;
    if (received < messages) await new Promise<void>((resolve) => (complete = resolve));
    if (wrong > 0 || received !== messages) throw new Error(`${wrong} wrong messages, ${received} of ${messages} received`);
  },
});
