import { setTimeout as wait } from 'node:timers/promises';
import { Server, ServerCredentials, type ServerWritableStream } from '@grpc/grpc-js';
import { loadContract, serviceOf } from '../../src/gateway/grpc/schema.js';
import { servePeer } from '../support/peer.js';
import { turnMessages } from './messages.js';

/** grpc-js with nothing around it: the same constant bytes to every stream. */
const streams: ServerWritableStream<unknown, Buffer>[] = [];
const messages = turnMessages();
const server = new Server();
server.addService(serviceOf(loadContract()), {
  SubscribeToOrderBookUpdates: (call: ServerWritableStream<unknown, Buffer>) => streams.push(call),
});

servePeer({
  start: async (): Promise<string> => {
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound)));
    });
    return `127.0.0.1:${port}`;
  },
  streams: () => streams.length,
  turns: async ({ turns }: { turns: number }): Promise<void> => {
    for (let turn = 0; turn < turns; turn++) {
      for (const message of messages) for (const stream of streams) stream.write(message);
      do await wait(1);
      while (streams.some(({ writableLength }) => writableLength > 0));
    }
  },
});
