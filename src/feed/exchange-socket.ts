import net, { type Socket } from 'node:net';
import tls from 'node:tls';
import { type ClientOptions, WebSocket } from 'ws';
import { BinaryFrames } from './binary-frames.js';

type DataListener = (bytes: Buffer) => void;

/**
 * What every connection of this thread is read into, one after the other: whoever is handed a part of it is done with it, or has copied it, when
 * he returns. So reading leaves nothing behind for the garbage collector, and the bytes lie in the processor's cache when they are looked at.
 */
const readBytes = Buffer.allocUnsafeSlow(64 * 1024);

/**
 * Opens a WebSocket whose whole binary messages go to `message` as they lie in what was read, `bytes[start, end)`, theirs only until it returns.
 * Everything else comes through the events of `ws`, a message that it had to put together included; `BinaryFrames` says why.
 */
export function openExchangeSocket(
  url: string,
  options: ClientOptions,
  message: (bytes: Buffer, start: number, end: number) => void,
): WebSocket {
  let stream: Socket | undefined;
  let frames: BinaryFrames | undefined;

  const read = (length: number, bytes: Uint8Array): boolean => {
    // The handshake, and what came with its end, goes the usual way.
    if (frames === undefined || stream!.readableLength > 0) return stream!.push(Buffer.from(bytes.subarray(0, length)));
    frames.take(readBytes, length);
    return true;
  };
  const onread = { buffer: readBytes, callback: read };
  const createConnection = (to: net.TcpNetConnectOpts & tls.ConnectionOptions): Socket => {
    const { host } = to;
    // What `ws` itself does when it is left to it, and the buffer.
    stream =
      new URL(url).protocol === 'wss:'
        ? tls.connect({ ...to, path: undefined, servername: net.isIP(host ?? '') > 0 ? '' : host, onread } as tls.ConnectionOptions)
        : net.connect({ ...to, path: undefined, onread } as net.NetConnectOpts);
    return stream;
  };

  const socket = new WebSocket(url, { ...options, createConnection } as ClientOptions);
  socket.on('open', () => {
    const [toWebSocket, ...others] = stream!.listeners('data') as DataListener[];
    // Another version of `ws` may listen otherwise; then it goes on as it is.
    if (toWebSocket === undefined || others.length > 0) return;
    const splitter = new BinaryFrames(message, (bytes) => toWebSocket.call(stream!, bytes));
    const take = (piece: Buffer): void => splitter.take(piece);
    stream!.on('data', take);
    stream!.off('data', toWebSocket);
    frames = splitter;
    // After a breach of the protocol `ws` reads no further.
    socket.once('error', () => splitter.end());
  });
  return socket;
}
